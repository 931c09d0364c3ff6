"""The outbox: each event published once, and the messages to retry when one fails."""

from collections.abc import Collection, Sequence

from services.shared.events import Event
from services.shared.outbox import Outbox
from tests.support.builders import placed
from tests.support.fakes import RecordingBus, RecordingTelemetry


class RefusingBus:
    """Refuses the events of the given orders."""

    def __init__(self, *refused: str) -> None:
        self._refused = refused

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        return [event for event in events if event.correlation_id in self._refused]


def test_an_event_added_twice_is_published_once() -> None:
    outbox, recording, telemetry = Outbox(), RecordingBus(), RecordingTelemetry()
    outbox.add(["m0"], [placed("order-1")])
    outbox.add(["m1"], [placed("order-1"), placed("order-2")])

    retry = outbox.send(recording, telemetry)

    assert retry == set()
    assert recording.published == [placed("order-1"), placed("order-2")]


def test_every_message_with_a_failed_event_is_retried_and_no_other() -> None:
    outbox = Outbox()
    outbox.add(["m0", "m1"], [placed("order-1")])
    outbox.add(["m2"], [placed("order-2")])
    outbox.add(["m3"], [placed("order-2"), placed("order-1")])

    assert outbox.send(RefusingBus("order-1"), RecordingTelemetry()) == {"m0", "m1", "m3"}


def test_only_what_was_published_is_counted() -> None:
    outbox, telemetry = Outbox(), RecordingTelemetry()
    outbox.add(["m0"], [placed(f"order-{n}") for n in range(3)])

    outbox.send(RefusingBus("order-1"), telemetry)

    assert telemetry.counted("events_published_total", event="OrderPlaced") == 2


def test_an_empty_outbox_does_not_call_the_bus() -> None:
    telemetry = RecordingTelemetry()

    assert Outbox().send(RecordingBus(refuse=1), telemetry) == set()
    assert (telemetry.lines, telemetry.counts) == ([], {})
