"""Events out: the port to the bus, and which message of a batch waits for which event."""

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from services.shared.events import Event
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric
from services.shared.telemetry import Telemetry


class EventBus(Protocol):
    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        """Publish, and return the events that the bus did not accept."""


class Outbox:
    """The events that a batch of messages must publish, each with the messages that wait for it."""

    def __init__(self) -> None:
        self._events: dict[str, Event] = {}
        self._message_ids: dict[str, set[str]] = {}

    def add(self, message_ids: Iterable[str], events: Iterable[Event]) -> None:
        for event in events:
            self._events[event.event_id] = event
            self._message_ids.setdefault(event.event_id, set()).update(message_ids)

    def send(self, bus: EventBus, telemetry: Telemetry) -> set[str]:
        """Publish each event once; returns the ids of the messages to retry, whose events failed."""
        # What is committed is counted even when the process ends in the calls that follow.
        telemetry.flush()
        events, self._events = self._events, {}
        if not events:
            return set()
        failed = {event.event_id for event in bus.publish(list(events.values()))}
        for event_id, event in events.items():
            if event_id not in failed:
                telemetry.count(Metric.EVENTS_PUBLISHED, event=event.detail_type())
        if failed:
            telemetry.warning(LogEvent.PUBLISH_FAILED, events=len(failed))
        return set().union(*(self._message_ids[event_id] for event_id in failed))
