"""Dead letters: messages that could not be processed, filters over them, and the queue that holds them.

A consumer moves an invalid message to its DLQ with a reason; a message without a reason was moved by SQS
after its last delivery.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from scripts.ops.dlq.work_queues import WorkQueue
from services.shared.adapters.clients import in_batches
from services.shared.events import rfc3339

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

RETRIES_EXHAUSTED = "retries_exhausted"

HELD_SECONDS = 30
"""Longer than a batch takes; short enough if this process dies with received messages."""
_OVERHEAD = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
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
    tenant_id: str | None

    @property
    def why(self) -> str:
        return self.reason if self.detail is None else f"{self.reason}: {self.detail}"

    @property
    def envelope(self) -> Any:  # noqa: ANN401 - any JSON
        """Return the body parsed as JSON, or else as text."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return self.body


def parse_dead_letter(function: str, message: Mapping[str, Any]) -> DeadLetter:
    """Parse a message as SQS returns it."""
    attributes = message.get("Attributes", {})
    own_attributes = {
        name: str(value.get("StringValue", ""))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    event, order_id, tenant_id = _subject(message["Body"])
    return DeadLetter(
        function=function,
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        reason=own_attributes.get("reason") or RETRIES_EXHAUSTED,
        detail=own_attributes.get("detail"),
        consumer=own_attributes.get("consumer"),
        sent_at=datetime.fromtimestamp(int(attributes.get("SentTimestamp", 0)) / 1000, UTC),
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
        event=event,
        order_id=order_id,
        tenant_id=tenant_id,
    )


def _subject(body: str) -> tuple[str | None, str | None, str | None]:
    """Return event, order id and tenant id, each None if the message does not have it."""
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return None, None, None
    if not isinstance(envelope, dict):
        return None, None, None
    event, detail = _text(envelope, "detail-type"), envelope.get("detail")
    if not isinstance(detail, dict):
        return event, None, None
    return event, _text(detail, "orderId"), _text({"tenantId": "default", **detail}, "tenantId")


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead messages are selected; an empty field selects all."""

    reasons: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    orders: frozenset[str] = frozenset()
    before: datetime | None = None
    after: datetime | None = None

    def matches(self, dead_letter: DeadLetter) -> bool:
        return (
            (not self.reasons or dead_letter.reason in self.reasons)
            and (not self.events or dead_letter.event in self.events)
            and (not self.ids or dead_letter.message_id in self.ids)
            and (not self.orders or dead_letter.order_id in self.orders)
            and (self.before is None or dead_letter.sent_at <= self.before)
            and (self.after is None or dead_letter.sent_at >= self.after)
        )

    def parameters(self) -> dict[str, Any]:
        """Return the fields that are set, for the operations log."""
        given: dict[str, Any] = {
            "reasons": sorted(self.reasons),
            "events": sorted(self.events),
            "ids": sorted(self.ids),
            "orders": sorted(self.orders),
            "before": rfc3339(self.before) if self.before else None,
            "after": rfc3339(self.after) if self.after else None,
        }
        return {name: value for name, value in given.items() if value}


def dead_letter_view(dead_letter: DeadLetter) -> dict[str, Any]:
    view = {
        "function": dead_letter.function,
        "messageId": dead_letter.message_id,
        "event": dead_letter.event,
        "orderId": dead_letter.order_id,
        "reason": dead_letter.reason,
        "detail": dead_letter.detail,
        "consumer": dead_letter.consumer,
        "sentAt": rfc3339(dead_letter.sent_at),
        "receives": dead_letter.receives,
    }
    return {name: value for name, value in view.items() if value is not None}


class DeadLetterQueue(Protocol):
    @property
    def function(self) -> str: ...

    def take(self, held_seconds: int = HELD_SECONDS) -> Iterator[list[DeadLetter]]:
        """Receive every message once, in batches; each stays hidden from others for `held_seconds`."""

    def put_back(self, messages: Sequence[DeadLetter]) -> None:
        """Make these messages visible to others now."""

    def resend(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        """Send copies to the function's queue without delay; returns those it refused."""

    def delete(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        """Delete messages; returns those that could not be deleted."""


class SqsDeadLetterQueue:
    def __init__(self, client: "SQSClient", *, function: str, url: str, work_queue: WorkQueue) -> None:
        self.function = function
        self._client = client
        self._url = url
        self._work_queue = work_queue

    def take(self, held_seconds: int = HELD_SECONDS) -> Iterator[list[DeadLetter]]:
        seen: set[str] = set()
        received_twice: dict[str, DeadLetter] = {}
        try:
            # In a long queue the first messages become visible again before the last is received: only a
            # whole round without a new message shows that all were seen.
            stale = 0
            while stale <= len(seen) and (messages := self._receive(held_seconds)):
                new = [dead_letter for dead_letter in messages if dead_letter.message_id not in seen]
                received_twice |= {
                    dead_letter.message_id: dead_letter
                    for dead_letter in messages
                    if dead_letter.message_id in seen
                }
                stale = 0 if new else stale + len(messages)
                if new:
                    seen |= {dead_letter.message_id for dead_letter in new}
                    yield new
        finally:
            # Only the newest receipt of a message is valid.
            self.put_back(list(received_twice.values()))

    def _receive(self, held_seconds: int) -> list[DeadLetter]:
        # Only a long poll queries all hosts of SQS; an empty response to a short poll proves nothing.
        response = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=held_seconds,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [parse_dead_letter(self.function, message) for message in response.get("Messages", [])]

    def put_back(self, messages: Sequence[DeadLetter]) -> None:
        for batch in in_batches(messages, lambda _: _OVERHEAD):
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": dead_letter.receipt, "VisibilityTimeout": 0}
                    for index, dead_letter in enumerate(batch)
                ],
            )

    def resend(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        refused = self._work_queue.send([dead_letter.body for dead_letter in messages])
        return [messages[index] for index in sorted(refused)]

    def delete(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        failed: list[DeadLetter] = []
        for batch in in_batches(messages, lambda _: _OVERHEAD):
            response = self._client.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": dead_letter.receipt}
                    for index, dead_letter in enumerate(batch)
                ],
            )
            failed += [batch[int(entry["Id"])] for entry in response.get("Failed", [])]
        return failed
