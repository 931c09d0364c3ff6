"""Messages that nobody could handle: what they are, why they are here, and which of them are meant.

Pure. A consumer that cannot read a message buries it with the reason; one without a reason was moved by SQS
itself, after its last delivery.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.shared.events import rfc3339

RETRIES_EXHAUSTED = "retries_exhausted"


@dataclass(frozen=True, slots=True)
class Letter:
    function: str
    message_id: str
    receipt: str
    body: str
    reason: str
    detail: str | None
    consumer: str | None
    sent_at: datetime
    receives: int
    event: str | None
    order_id: str | None

    @property
    def envelope(self) -> Any:  # noqa: ANN401 - whatever somebody sent
        """Return the body as JSON, or as the text it is."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return self.body


def letter_of(function: str, message: Mapping[str, Any]) -> Letter:
    """Read one message as SQS gives it."""
    attributes = message.get("Attributes", {})
    given = {
        name: str(value.get("StringValue", ""))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    event, order_id = _subject(message["Body"])
    return Letter(
        function=function,
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        reason=given.get("reason") or RETRIES_EXHAUSTED,
        detail=given.get("detail"),
        consumer=given.get("consumer"),
        sent_at=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC),
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
        event=event,
        order_id=order_id,
    )


def _subject(body: str) -> tuple[str | None, str | None]:
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return None, None
    if not isinstance(envelope, dict):
        return None, None
    event, detail = envelope.get("detail-type"), envelope.get("detail")
    order_id = detail.get("orderId") if isinstance(detail, dict) else None
    return (
        event if isinstance(event, str) else None,
        order_id if isinstance(order_id, str) else None,
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is not said does not matter."""

    reasons: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    before: datetime | None = None
    after: datetime | None = None

    def means(self, letter: Letter) -> bool:
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.events or letter.event in self.events)
            and (not self.ids or letter.message_id in self.ids)
            and (self.before is None or letter.sent_at <= self.before)
            and (self.after is None or letter.sent_at >= self.after)
        )

    def parameters(self) -> dict[str, Any]:
        """Say what was asked for, for the audit log."""
        said: dict[str, Any] = {
            "reasons": sorted(self.reasons),
            "events": sorted(self.events),
            "ids": sorted(self.ids),
            "before": rfc3339(self.before) if self.before else None,
            "after": rfc3339(self.after) if self.after else None,
        }
        return {name: value for name, value in said.items() if value}


def letter_view(letter: Letter) -> dict[str, Any]:
    view = {
        "function": letter.function,
        "messageId": letter.message_id,
        "event": letter.event,
        "orderId": letter.order_id,
        "reason": letter.reason,
        "detail": letter.detail,
        "consumer": letter.consumer,
        "sentAt": rfc3339(letter.sent_at),
        "receives": letter.receives,
    }
    return {name: value for name, value in view.items() if value is not None}
