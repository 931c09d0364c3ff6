"""From raw queue messages to typed deliveries, and back to the queue with what must come again."""

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from services.shared.adapters.sqs_batch import Inbox
from services.shared.errors import NotAnSqsEventError, StoreUnavailableError
from services.shared.events import Event, OrderCancellationRequested, OrderEvent, OrderPlaced
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Poison
from tests.support.builders import (
    envelope,
    placed_detail,
    sqs_event,
)
from tests.support.fakes import RecordingPoisonQueue, RecordingTelemetry


class Worker:
    """Records what it gets; the test sets what to hand back and what to fail on."""

    def __init__(self, *, send_back: Collection[str] = (), wait: bool = False, fails_on: str = "") -> None:
        self.batches: list[list[str]] = []
        self.events: list[OrderEvent] = []
        self._send_back = send_back
        self._wait = wait
        self._fails_on = fails_on

    def __call__(self, batch: Sequence[Delivery]) -> Collection[str]:
        names = [delivery.message_id for delivery in batch]
        self.batches.append(names)
        self.events += [delivery.event for delivery in batch if isinstance(delivery.event, OrderEvent)]
        if self._wait:
            raise StoreUnavailableError("down")
        if self._fails_on in names:
            raise ZeroDivisionError
        return [name for name in names if name in self._send_back]


class OpsContext:
    """An inbox of placed and cancelled orders, and everything around it."""

    def __init__(self, worker: Worker | None = None, dlq: RecordingPoisonQueue | None = None) -> None:
        self.worker = worker or Worker()
        self.dlq = dlq or RecordingPoisonQueue()
        self.telemetry = RecordingTelemetry()
        accepts: list[type[Event]] = [OrderPlaced, OrderCancellationRequested]
        self._inbox = Inbox("order", accepts, self.worker, self.dlq, self.telemetry)

    def receive(self, *bodies: str) -> list[str]:
        """Hand over one batch; returns the messages that come again."""
        response = self._inbox.receive(sqs_event(*bodies))
        assert list(response) == ["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]

    def reasons(self) -> list[str]:
        return [poison.reason for poison in self.dlq.sent]


GOOD = envelope(placed_detail())


class BrokenPoisonQueue:
    """A dead-letter queue that the function may not write to."""

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        raise PermissionError(f"{len(poison)} messages refused")


# --- what can be read ---------------------------------------------------------------------------------


def test_a_message_becomes_a_delivery_of_the_event_it_holds() -> None:
    ops = OpsContext()

    retry = ops.receive(GOOD)

    assert retry == []
    assert ops.worker.events == [OrderPlaced.model_validate(placed_detail())]


def test_the_events_id_and_time_come_from_the_envelope_where_the_publisher_gave_none() -> None:
    detail = placed_detail()
    del detail["eventId"], detail["occurredAt"]
    ops = OpsContext()

    ops.receive(envelope(detail))

    (event,) = ops.worker.events
    assert (event.event_id, event.occurred_at) == ("envelope-id", datetime(2026, 1, 31, 11, 59, tzinfo=UTC))


def test_the_publishers_own_id_and_time_matter_more_than_the_envelopes() -> None:
    ops = OpsContext()

    ops.receive(GOOD)

    (event,) = ops.worker.events
    assert (event.event_id, event.occurred_at) == ("evt-1", datetime(2026, 1, 31, 12, tzinfo=UTC))


def test_each_event_of_a_batch_becomes_its_own_model() -> None:
    ops = OpsContext()

    ops.receive(GOOD, envelope({"orderId": "order-9"}, "OrderCancellationRequested"))

    assert [type(event) for event in ops.worker.events] == [OrderPlaced, OrderCancellationRequested]
    assert ops.worker.batches == [["m0", "m1"]]


def test_an_empty_batch_is_no_work() -> None:
    ops = OpsContext()

    assert ops.receive() == []
    assert ops.worker.batches == []
    assert (ops.telemetry.lines, ops.telemetry.counts) == ([], {})


# --- what cannot be read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "{",
        '{"detail": {}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        "[" * 100_000,
        '{"a":' * 5_000,
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": "\\ud800"}',
        '{"a": "\x00"}',
        "{'a': 1}",
    ],
    ids=lambda body: ascii(body[:12]),
)
def test_what_is_not_json_is_poison(body: str) -> None:
    ops = OpsContext()

    retry = ops.receive(body)

    assert retry == []
    assert [(one.message_id, one.body, one.reason) for one in ops.dlq.sent] == [("m0", body, "invalid_json")]


@pytest.mark.parametrize(
    "body", ["null", "7", '"text"', "[]", "{}", '{"detail": null}', '{"detail": []}', '{"detail": "{}"}']
)
def test_what_is_no_event_with_a_detail_object_is_poison(body: str) -> None:
    ops = OpsContext()

    ops.receive(body)

    assert ops.reasons() == ["invalid_envelope"]


@pytest.mark.parametrize(
    "name", ["OrderShipped", "PaymentRequested", "orderplaced", "", None, 7, ["OrderPlaced"], {}]
)
def test_an_event_this_consumer_does_not_know_is_poison(name: Any) -> None:  # noqa: ANN401 - anything may come
    ops = OpsContext()

    ops.receive(envelope(placed_detail(), name))

    assert ops.reasons() == ["unexpected_event"]


@pytest.mark.parametrize(
    "changed",
    [
        {"items": []},
        {"items": [{"sku": "prod-001", "quantity": 10**300}]},
        {"orderId": "a#b"},
        {"occurredAt": 1769860800},
        {"eventId": None},
        {"customerId": {"name": "x"}},
    ],
)
def test_an_event_that_does_not_validate_is_poison(changed: dict[str, Any]) -> None:
    ops = OpsContext()

    ops.receive(envelope(placed_detail(**changed)))

    assert ops.reasons() == ["invalid_event"]


def test_an_envelope_whose_own_id_is_no_text_is_poison() -> None:
    detail = placed_detail()
    del detail["eventId"]
    ops = OpsContext()

    ops.receive(envelope(detail, id=7))

    assert ops.reasons() == ["invalid_event"]


def test_poison_is_buried_with_its_reason_while_its_batch_goes_on() -> None:
    ops = OpsContext()

    retry = ops.receive("not json", GOOD, envelope(placed_detail(items=[])))

    assert retry == []
    assert ops.worker.batches == [["m1"]]
    assert [(one.message_id, one.reason, one.detail) for one in ops.dlq.sent] == [
        ("m0", "invalid_json", "expected ident at line 1 column 2"),
        ("m2", "invalid_event", "items: Value error, must have 1 to 1000 lines, this has 0"),
    ]


def test_buried_poison_is_counted_and_told() -> None:
    ops = OpsContext()

    ops.receive("not json", "{}")

    assert ops.telemetry.counted("poison_events_total", consumer="order") == 2
    assert [event for event, _, _ in ops.telemetry.lines] == [LogEvent.MESSAGE_POISON] * 2


def test_poison_that_could_not_be_buried_comes_again_and_is_not_counted() -> None:
    ops = OpsContext(dlq=RecordingPoisonQueue(broken=True))

    retry = ops.receive("not json", GOOD)

    assert retry == ["m0"]
    assert ops.telemetry.counted("poison_events_total", consumer="order") == 0


def test_a_dead_letter_queue_that_fails_sends_back_the_poison_and_nothing_else() -> None:
    telemetry = RecordingTelemetry()
    inbox = Inbox("order", [OrderPlaced], Worker(), BrokenPoisonQueue(), telemetry)

    response = inbox.receive(sqs_event(GOOD, "not json"))

    assert response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [type(error) for error in telemetry.errors] == [PermissionError]


# --- what must come again -----------------------------------------------------------------------------


def test_only_the_messages_the_work_sends_back_come_again() -> None:
    ops = OpsContext(Worker(send_back=["m1"]))

    assert ops.receive(GOOD, GOOD, GOOD) == ["m1"]


def test_a_passing_fault_sends_the_whole_batch_back_at_once() -> None:
    ops = OpsContext(Worker(wait=True))

    retry = ops.receive(GOOD, GOOD)

    assert retry == ["m0", "m1"]
    assert ops.worker.batches == [["m0", "m1"]]
    assert ops.telemetry.errors == []


def test_poison_beside_a_passing_fault_is_still_buried() -> None:
    ops = OpsContext(Worker(wait=True))

    assert ops.receive(GOOD, "not json") == ["m0"]
    assert ops.reasons() == ["invalid_json"]


def test_an_unforeseen_error_takes_the_batch_apart_and_sends_back_only_its_culprit() -> None:
    ops = OpsContext(Worker(fails_on="m1"))

    retry = ops.receive(GOOD, GOOD, GOOD)

    assert retry == ["m1"]
    assert ops.worker.batches == [["m0", "m1", "m2"], ["m0"], ["m1"], ["m2"]]
    assert [type(error) for error in ops.telemetry.errors] == [ZeroDivisionError, ZeroDivisionError]


def test_an_unforeseen_error_of_a_lone_message_is_not_tried_twice() -> None:
    ops = OpsContext(Worker(fails_on="m0"))

    assert ops.receive(GOOD) == ["m0"]
    assert ops.worker.batches == [["m0"]]


# --- what is no batch ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        None,
        {},
        [],
        "Records",
        7,
        {"Records": None},
        {"Records": 7},
        {"Records": "m0"},
        {"Records": [None]},
        {"Records": [{"messageId": "m0"}]},
        {"Records": [{"body": "{}"}]},
        {"Records": [{"Sns": {}}]},
        json.loads(GOOD),
    ],
    ids=str,
)
def test_what_is_no_batch_of_messages_is_an_error(raw: object) -> None:
    inbox = Inbox("order", [OrderPlaced], Worker(), RecordingPoisonQueue(), RecordingTelemetry())

    with pytest.raises(NotAnSqsEventError):
        inbox.receive(raw)
