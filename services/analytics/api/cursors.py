"""Where a page ends, sealed: a cursor is good for the tenant and the filters it was made for, unchanged."""

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

    def seal(self, tenant_id: str, filters: Filters, position: Position) -> str:
        payload = json.dumps([position.placed_at.isoformat(), position.order_id]).encode()
        return f"{_text(payload)}.{_text(self._seal(tenant_id, filters, payload))}"

    def open(self, tenant_id: str, filters: Filters, cursor: str) -> Position | None:
        """Return the position; None if the cursor is of another tenant, of other filters, or not ours."""
        payload, _, seal = cursor.partition(".")
        try:
            told, sealed = _bytes(payload), _bytes(seal)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(sealed, self._seal(tenant_id, filters, told)):
            return None
        # We wrote it ourselves: whoever cannot forge the seal cannot get here with anything else.
        placed_at, order_id = json.loads(told)
        return Position(datetime.fromisoformat(placed_at), order_id)

    def _seal(self, tenant_id: str, filters: Filters, payload: bytes) -> bytes:
        # One JSON text: no value can run over into its neighbour.
        sealed = json.dumps([_VERSION, tenant_id, asdict(filters), _text(payload)], default=str)
        return hmac.digest(self._key().encode(), sealed.encode(), hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(raw) != text:
        raise ValueError("not the one way to spell these bytes")
    return raw
