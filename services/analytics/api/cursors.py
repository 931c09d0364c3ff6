"""Cursors: the end of a page, signed, so that it is valid only for the tenant and filters it was made for."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Final

from services.analytics.queries.params import Filters, Position

_VERSION: Final = 2


class Cursors:
    def __init__(self, keys: Callable[[], str]) -> None:
        """`keys` returns keys with spaces between: the first signs, all are accepted."""
        self._keys = keys

    def encode(self, tenant_id: str, filters: Filters, position: Position) -> str:
        return self.encode_values(tenant_id, filters, [position.placed_at.isoformat(), position.order_id])

    def decode(self, tenant_id: str, filters: Filters, cursor: str) -> Position | None:
        """Return the position; None if the cursor is of another tenant or other filters, or forged."""
        values = self.decode_values(tenant_id, filters, cursor)
        if values is None:
            return None
        placed_at, order_id = values
        return Position(datetime.fromisoformat(placed_at), order_id)

    def encode_values(self, tenant_id: str, filters: object, position: Sequence[str]) -> str:
        """Make a cursor of the columns that a list is sorted by; `filters` is a dataclass."""
        payload = json.dumps(position).encode()
        return f"{_text(payload)}.{_text(next(self._signatures(tenant_id, filters, payload)))}"

    def decode_values(self, tenant_id: str, filters: object, cursor: str) -> Sequence[str] | None:
        encoded_payload, _, encoded_signature = cursor.partition(".")
        try:
            payload, signature = _bytes(encoded_payload), _bytes(encoded_signature)
        except (binascii.Error, ValueError):
            return None
        ours = self._signatures(tenant_id, filters, payload)
        if not any(hmac.compare_digest(signature, it) for it in ours):
            return None
        # The signature is ours, so the payload is what we wrote.
        values: list[str] = json.loads(payload)
        return values

    def _signatures(self, tenant_id: str, filters: object, payload: bytes) -> Iterator[bytes]:
        # One JSON text: no value can run over into the next.
        # The kind of filters is the kind of list.
        kind = type(filters).__name__
        signed = json.dumps([_VERSION, tenant_id, kind, _fields(filters), _text(payload)], default=str)
        return (hmac.digest(key.encode(), signed.encode(), hashlib.sha256) for key in self._keys().split())


def _fields(filters: object) -> object:
    if not is_dataclass(filters) or isinstance(filters, type):
        raise TypeError(f"filters must be a dataclass, not {filters!r}")
    return asdict(filters)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(raw) != text:
        raise ValueError("not the canonical encoding of these bytes")
    return raw
