"""Events out: published in tens, every entry's result looked at, nothing taken for sent that was not."""

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from services.shared.adapters.clients import in_batches, is_transient
from services.shared.adapters.telemetry import Telemetry
from services.shared.backoff import Waits, jittered
from services.shared.events import Event
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_ENVELOPE_BYTES = 200  # what the bus adds around a detail, generously


class EventBus(Protocol):
    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        """Publish, and return the events that did not get through."""


class EventBridgeBus:
    def __init__(
        self,
        client: "EventBridgeClient",
        *,
        bus_name: str,
        source: str,
        run: Callable[..., Iterable[list[Event]]] = map,
        waits: Waits = jittered(3),  # noqa: B008 - makes a maker of iterators, which holds no state
    ) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source
        self._run = run
        self._waits = waits

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        left = list(events)
        waits = self._waits()
        while left:
            sized = [(event, event.wire()) for event in left]
            batches = in_batches(sized, lambda pair: len(pair[1].encode()) + _ENVELOPE_BYTES)
            left = list(chain.from_iterable(self._run(self._put, batches)))
            if left and not next(waits, False):
                break
        return left

    def _put(self, batch: Sequence[tuple[Event, str]]) -> list[Event]:
        """One PutEvents call; returns what it did not take."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._bus_name,
                "Source": self._source,
                "DetailType": event.detail_type(),
                "Detail": detail,
            }
            for event, detail in batch
        ]
        try:
            response = self._client.put_events(Entries=entries)
        except (ClientError, BotoCoreError) as error:
            if is_transient(error):
                return [event for event, _ in batch]
            raise
        results = response["Entries"]
        return [event for (event, _), result in zip(batch, results, strict=True) if "ErrorCode" in result]


class Outbox:
    """The events a batch of messages owes the world, and which message owes which."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}
        self._owed_by: dict[str, set[str]] = {}

    def owe(self, message_ids: Iterable[str], events: Iterable[Event]) -> None:
        for event in events:
            self._events[event.event_id] = event
            self._owed_by.setdefault(event.event_id, set()).update(message_ids)

    def send(self, bus: EventBus, telemetry: Telemetry) -> set[str]:
        """Publish each event once; returns the messages that must come again because theirs failed."""
        if not self._events:
            return set()
        failed = {event.event_id for event in bus.publish(list(self._events.values()))}
        for name, event in self._events.items():
            if name not in failed:
                telemetry.count(Metric.EVENTS_PUBLISHED, event=event.detail_type())
        if failed:
            telemetry.warning(LogEvent.PUBLISH_FAILED, events=len(failed))
        return {message_id for name in failed for message_id in self._owed_by[name]}
