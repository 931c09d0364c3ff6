"""The bytes of a message, and the headers that prove whose they are (Standard Webhooks)."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from services.shared.events import rfc3339
from services.version import __version__
from services.webhooks.model import Format, Message

_MEDIA_TYPES: Mapping[Format, str] = {
    "standard": "application/json",
    "cloudevents": "application/cloudevents+json",
}


def body_of(message: Message, format_: Format) -> str:
    """Return the body, the same for every attempt."""
    at = rfc3339(message.timestamp)
    content: dict[str, Any] = {"type": message.type, "timestamp": at, "data": message.data}
    if format_ == "cloudevents":
        content = {
            "specversion": "1.0",
            "id": message.id,
            "source": f"urn:pulsequeue:tenant:{message.tenant_id}",
            "type": message.type,
            "time": at,
            "datacontenttype": "application/json",
            "data": message.data,
        }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def headers_of(
    message: Message, format_: Format, body: str, secrets: Sequence[str], now: datetime
) -> dict[str, str]:
    """Sign a body with every secret that is valid, so that a subscriber may change from one to the next."""
    # The package takes the moment without an offset for UTC, and drops any other.
    moment = now.astimezone(UTC)
    signatures = (Webhook(it).sign(message.id, moment, body) for it in secrets)
    return {
        "content-type": _MEDIA_TYPES[format_],
        "user-agent": f"PulseQueue/{__version__}",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
