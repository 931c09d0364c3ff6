"""Cursors: the end of a page, signed, so that it is valid only for the tenant and filters it was made for."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Final

from services.analytics.queries.params import Filters, Position

_VERSION: Final = 1


class Cursors:
    def __init__(self, key: Callable[[], str]) -> None:
        self._key = key

    def encode(self, tenant_id: str, filters: Filters, position: Position) -> str:
        payload = json.dumps([position.placed_at.isoformat(), position.order_id]).encode()
        return f"{_text(payload)}.{_text(self._sign(tenant_id, filters, payload))}"

    def decode(self, tenant_id: str, filters: Filters, cursor: str) -> Position | None:
        """Return the position; None if the cursor is of another tenant or other filters, or forged."""
        encoded_payload, _, encoded_signature = cursor.partition(".")
        try:
            payload, signature = _bytes(encoded_payload), _bytes(encoded_signature)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(signature, self._sign(tenant_id, filters, payload)):
            return None
        # The signature is ours, so the payload is what we wrote.
        placed_at, order_id = json.loads(payload)
        return Position(datetime.fromisoformat(placed_at), order_id)

    def _sign(self, tenant_id: str, filters: Filters, payload: bytes) -> bytes:
        # One JSON text: no value can run over into the next.
        signed = json.dumps([_VERSION, tenant_id, asdict(filters), _text(payload)], default=str)
        return hmac.digest(self._key().encode(), signed.encode(), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(raw) != text:
        raise ValueError("not the canonical encoding of these bytes")
    return raw
