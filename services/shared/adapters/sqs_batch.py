"""Events in: a batch of queue messages becomes typed deliveries, and what cannot be read is set aside.

Only messages that must come again are reported back to the queue. A message that can never be read goes
to the consumer's dead-letter queue at once, with the reason, and does not hold up its batch.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError
from pydantic_core import from_json

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.adapters.telemetry import Telemetry
from services.shared.errors import NotAnSqsEventError, TransientError
from services.shared.events import Event, OrderEvent
from services.shared.ledger import Key
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

E = TypeVar("E", bound=OrderEvent)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event, as one message brought it."""

    message_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Group(Generic[E]):
    """The deliveries of a batch that are about the same order, in arrival order."""

    events: list[E]
    message_ids: set[str]

    @property
    def first(self) -> E:
        return self.events[0]


def by_order(deliveries: Sequence[Delivery], model: type[E]) -> dict[Key, Group[E]]:
    """Group the deliveries of one kind of event by the order they are about."""
    groups: dict[Key, Group[E]] = {}
    for delivery in deliveries:
        event = delivery.event
        if isinstance(event, model):
            group = groups.setdefault(Key(event.tenant_id, event.order_id), Group([], set()))
            group.events.append(event)
            group.message_ids.add(delivery.message_id)
    return groups


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that no number of deliveries will make readable."""

    message_id: str
    body: str
    reason: str
    detail: str


class PoisonQueue(Protocol):
    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        """Set messages aside for a human; returns the ids of those that could not be."""


Handle = Callable[[Sequence[Delivery]], Collection[str]]
"""Does the work of a batch and returns the ids of the messages that must come again."""


class Inbox:
    def __init__(
        self,
        consumer: str,
        accepts: Sequence[type[Event]],
        handle: Handle,
        dlq: PoisonQueue,
        telemetry: Telemetry,
    ) -> None:
        self._consumer = consumer
        self._accepts = {model.detail_type(): model for model in accepts}
        self._handle = handle
        self._dlq = dlq
        self._telemetry = telemetry

    def receive(self, raw: object) -> dict[str, list[dict[str, str]]]:
        """Work through one invocation's batch; returns the partial batch response."""
        deliveries: list[Delivery] = []
        poison: list[Poison] = []
        for message_id, body in _messages(raw):
            parsed = self._parse(message_id, body)
            if isinstance(parsed, Delivery):
                deliveries.append(parsed)
            else:
                poison.append(parsed)
        again = self._work(deliveries) | self._set_aside(poison)
        if again:
            self._telemetry.warning(LogEvent.BATCH_RETRIED, messages=len(again))
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(again)]}

    def _work(self, deliveries: Sequence[Delivery]) -> set[str]:
        """Handle a batch; one that fails in an unforeseen way is taken apart, to fail only its culprit."""
        if not deliveries:
            return set()
        try:
            return set(self._handle(deliveries))
        except TransientError as error:
            self._telemetry.warning(LogEvent.BATCH_DEFERRED, cause=type(error).__name__, why=str(error))
            return {delivery.message_id for delivery in deliveries}
        except Exception as error:  # noqa: BLE001 - the boundary: whatever happened, the queue keeps the message
            self._telemetry.error(LogEvent.BATCH_FAILED, error)
            if len(deliveries) == 1:
                return {deliveries[0].message_id}
            return set().union(*(self._work([delivery]) for delivery in deliveries))

    def _set_aside(self, poison: Sequence[Poison]) -> set[str]:
        if not poison:
            return set()
        for one in poison:
            self._telemetry.warning(
                LogEvent.MESSAGE_POISON, message_id=one.message_id, reason=one.reason, detail=one.detail
            )
        unburied = self._send_to_dlq(poison)
        if buried := len(poison) - len(unburied):
            self._telemetry.count(Metric.POISON_EVENTS, buried, consumer=self._consumer)
        return unburied

    def _send_to_dlq(self, poison: Sequence[Poison]) -> set[str]:
        """Bury what can be; the rest goes back, and SQS itself moves it after its last delivery."""
        try:
            return set(self._dlq.send(poison))
        except Exception as error:  # noqa: BLE001 - the boundary: one message must not fail the others' batch
            self._telemetry.error(LogEvent.DLQ_FAILED, error)
            if len(poison) == 1:
                return {poison[0].message_id}
            return set().union(*(self._send_to_dlq([one]) for one in poison))

    def _parse(self, message_id: str, body: str) -> Delivery | Poison:
        try:
            envelope = from_json(body, allow_inf_nan=False)
        except (ValueError, TypeError) as error:  # half a surrogate pair is no text at all to the parser
            return Poison(message_id, body, "invalid_json", str(error))
        if not isinstance(envelope, dict) or not isinstance(envelope.get("detail"), dict):
            return Poison(
                message_id, body, "invalid_envelope", "not an EventBridge event with a detail object"
            )
        name = envelope.get("detail-type")
        model = self._accepts.get(name) if isinstance(name, str) else None
        if model is None:
            return Poison(message_id, body, "unexpected_event", f"{self._consumer} does not consume {name!r}")
        try:
            return Delivery(message_id, model.model_validate(detail_of(envelope)))
        except ValidationError as error:
            return Poison(message_id, body, "invalid_event", explain(error))


def detail_of(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Take an event's detail, its id and time from the envelope where the publisher gave none."""
    given = {"eventId": envelope.get("id"), "occurredAt": envelope.get("time")}
    return {**{name: value for name, value in given.items() if value is not None}, **envelope["detail"]}


def explain(error: ValidationError) -> str:
    """Say what is wrong with an event, without repeating what it said: that may be personal."""
    faults = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['msg']}" for fault in faults[:5])


def _messages(raw: object) -> list[tuple[str, str]]:
    try:
        return [(str(record["messageId"]), str(record["body"])) for record in raw["Records"]]  # type: ignore[index]
    except (TypeError, KeyError) as error:
        raise NotAnSqsEventError(
            "expected a batch of SQS messages: Records with messageId and body"
        ) from error


class SqsPoisonQueue:
    """The consumer's own dead-letter queue, reached before SQS would give up on a message itself."""

    def __init__(self, client: "SQSClient", *, queue_url: str, consumer: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._consumer = consumer

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        unburied: list[str] = []
        for batch in in_batches(poison, lambda one: len(one.body.encode()) + 1_000):
            unburied += self._send(batch)
        return unburied

    def _send(self, batch: Sequence[Poison]) -> list[str]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(index),
                "MessageBody": one.body,
                "MessageAttributes": {
                    name: {"DataType": "String", "StringValue": _printable(value)}
                    for name, value in (
                        ("reason", one.reason),
                        ("detail", one.detail),
                        ("consumer", self._consumer),
                    )
                },
            }
            for index, one in enumerate(batch)
        ]
        try:
            response = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return [one.message_id for one in batch]
            raise
        return [batch[int(failure["Id"])].message_id for failure in response.get("Failed", [])]


def _printable(text: str) -> str:
    """Fit a text into a message attribute, which takes no control characters and must not be empty."""
    return "".join(char if char.isprintable() else "?" for char in text)[:500] or "?"
