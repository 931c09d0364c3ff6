"""A batch of SQS messages: parsed into deliveries, handled, and answered with the messages to retry.

A message that can never be read goes to the consumer's dead-letter queue at once, with the reason, and
does not hold up its batch.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from pydantic_core import from_json

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.backoff import redelivery_seconds
from services.shared.errors import NotAnSqsEventError, TransientError
from services.shared.events import Event
from services.shared.log_events import LogEvent
from services.shared.messages import (
    Backlog,
    Delivery,
    Handle,
    Message,
    Poison,
    PoisonQueue,
    Redelivery,
    detail_of,
    explain,
    order_named_in,
)
from services.shared.metric_names import Metric
from services.shared.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


class Inbox:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        consumer: str,
        accepts: Sequence[type[Event]],
        handle: Handle,
        dlq: PoisonQueue,
        telemetry: Telemetry,
        *,
        redelivery: Redelivery | None = None,
        backlog: Backlog | None = None,
    ) -> None:
        self._consumer = consumer
        self._accepts = {model.detail_type(): model for model in accepts}
        self._handle = handle
        self._dlq = dlq
        self._telemetry = telemetry
        self._redelivery = redelivery
        self._backlog = backlog

    def receive(self, raw: object) -> dict[str, list[dict[str, str]]]:
        """Handle one invocation's batch; returns the partial batch response."""
        deliveries: list[Delivery] = []
        poison: list[Poison] = []
        given = _messages(raw)
        taken = self._backlog.take(len(given)) if self._backlog else ()
        messages = [*given, *taken]
        for message in messages:
            parsed = self._parse(message.id, message.body)
            if isinstance(parsed, Delivery):
                deliveries.append(parsed)
            else:
                poison.append(parsed)
        retry = self._work(deliveries) | self._reject(poison)
        if retry:
            self._telemetry.warning(LogEvent.BATCH_RETRIED, messages=len(retry))
            self._hand_back([message for message in messages if message.id in retry])
        if self._backlog:
            self._backlog.delete([message for message in taken if message.id not in retry])
        failed = sorted({message.id for message in given} & retry)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    def _hand_back(self, messages: Sequence[Message]) -> None:
        """Let failed messages return within seconds, later at each receive, and not all at once."""
        if self._redelivery is None:
            return
        # Those that fail return after the queue's own time-out: later, but not lost.
        try:
            if failed := self._redelivery.delay({message.receipt: message.receives for message in messages}):
                self._telemetry.warning(LogEvent.REDELIVERY_FAILED, messages=failed)
        except Exception as error:  # noqa: BLE001 - the boundary: what was done must not be handed back
            self._telemetry.error(LogEvent.REDELIVERY_FAILED, error)

    def _work(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Handle a batch; after an unexpected error one message at a time, so that only the cause fails."""
        if not deliveries:
            return set()
        try:
            return set(self._handle(deliveries))
        except TransientError as error:
            self._telemetry.warning(LogEvent.BATCH_DEFERRED, cause=type(error).__name__, why=str(error))
            return {delivery.message_id for delivery in deliveries}
        except Exception as error:  # noqa: BLE001 - the boundary: the message stays in its queue
            self._telemetry.error(LogEvent.BATCH_FAILED, error)
            if len(deliveries) == 1:
                return {deliveries[0].message_id}
            return set().union(*(self._work([delivery]) for delivery in deliveries))

    def _reject(self, poison: Sequence[Poison]) -> set[str]:
        if not poison:
            return set()
        for message in poison:
            self._telemetry.warning(
                LogEvent.MESSAGE_POISON,
                message.about,
                message_id=message.message_id,
                reason=message.reason,
                detail=message.detail,
            )
        failed = self._send_to_dlq(poison)
        if sent := len(poison) - len(failed):
            self._telemetry.count(Metric.POISON_EVENTS, sent, consumer=self._consumer)
        return failed

    def _send_to_dlq(self, poison: Sequence[Poison]) -> set[str]:
        """Send to the dead-letter queue; what fails is retried, and moved by SQS after its last receive."""
        try:
            return set(self._dlq.send(poison))
        except Exception as error:  # noqa: BLE001 - the boundary: one message must not fail the others' batch
            self._telemetry.error(LogEvent.DLQ_FAILED, error)
            if len(poison) == 1:
                return {poison[0].message_id}
            return set().union(*(self._send_to_dlq([message]) for message in poison))

    def _parse(self, message_id: str, body: str) -> Delivery | Poison:
        try:
            envelope = from_json(body, allow_inf_nan=False)
        except (ValueError, TypeError) as error:  # TypeError: half a surrogate pair in the text
            return Poison(message_id, body, "invalid_json", str(error))
        if not isinstance(envelope, dict) or not isinstance(envelope.get("detail"), dict):
            return Poison(
                message_id, body, "invalid_envelope", "not an EventBridge event with a detail object"
            )
        about = order_named_in(envelope["detail"])
        name = envelope.get("detail-type")
        model = self._accepts.get(name) if isinstance(name, str) else None
        if model is None:
            why = f"{self._consumer} does not consume {name!r}"
            return Poison(message_id, body, "unexpected_event", why, about)
        try:
            return Delivery(message_id, model.model_validate(detail_of(envelope)))
        except ValidationError as error:
            return Poison(message_id, body, "invalid_event", explain(error), about)


def _messages(raw: object) -> list[Message]:
    try:
        return [
            Message(
                str(record["messageId"]),
                str(record["body"]),
                str(record["receiptHandle"]),
                int(record["attributes"]["ApproximateReceiveCount"]),
            )
            for record in raw["Records"]  # type: ignore[index]
        ]
    except (TypeError, KeyError, ValueError) as error:
        raise NotAnSqsEventError(
            "Not an SQS event (no Records with messageId, body, receiptHandle and ApproximateReceiveCount); "
            "invoke this function through its queue"
        ) from error


class SqsRedelivery:
    """The visibility time-outs of the consumer's queue."""

    def __init__(
        self,
        client: "SQSClient",
        *,
        queue_url: str,
        delay: Callable[[int], int | None] = redelivery_seconds,
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._delay = delay

    def delay(self, receives: Mapping[str, int]) -> int:
        delays = {receipt: self._delay(times) for receipt, times in receives.items()}
        return self.postpone({receipt: it for receipt, it in delays.items() if it is not None})

    def postpone(self, seconds: Mapping[str, int]) -> int:
        """Keep messages away, by receipt, for so many seconds; returns for how many that failed."""
        return sum(map(self._set, in_batches(list(seconds.items()), lambda _: 0)))

    def _set(self, batch: Sequence[tuple[str, int]]) -> int:
        try:
            response = self._client.change_message_visibility_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": delay}
                    for index, (receipt, delay) in enumerate(batch)
                ],
            )
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return len(batch)
            raise
        return len(response.get("Failed", ()))


class SqsPoisonQueue:
    """The consumer's own dead-letter queue, for messages that would fail at every receive."""

    def __init__(self, client: "SQSClient", *, queue_url: str, consumer: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._consumer = consumer

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        failed: list[str] = []
        for batch in in_batches(poison, lambda message: len(message.body.encode()) + 1_000):
            failed += self._send(batch)
        return failed

    def _send(self, batch: Sequence[Poison]) -> list[str]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(index),
                "MessageBody": message.body,
                "MessageAttributes": {
                    name: {"DataType": "String", "StringValue": _printable(value)}
                    for name, value in (
                        ("reason", message.reason),
                        ("detail", message.detail),
                        ("consumer", self._consumer),
                    )
                },
            }
            for index, message in enumerate(batch)
        ]
        try:
            response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return [message.message_id for message in batch]
            raise
        return [batch[int(failure["Id"])].message_id for failure in response.get("Failed", [])]


def _printable(text: str) -> str:
    """Fit a text into a message attribute: no control characters, not empty, at most 500 characters."""
    return "".join(char if char.isprintable() else "?" for char in text)[:500] or "?"
