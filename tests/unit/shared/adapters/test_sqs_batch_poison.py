"""Messages that cannot be read are set aside, or left to the queue, and never take others with them."""

import json
from collections.abc import Collection, Sequence

import pytest

from services.shared.adapters.sqs_batch import Inbox
from services.shared.events import OrderPlaced
from services.shared.ledger import Key
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery, Poison
from tests.support.builders import sqs_record
from tests.support.fakes import RecordingPoisonQueue, RecordingTelemetry

GOOD = json.dumps(
    {
        "id": "e1",
        "time": "2026-01-31T12:00:00Z",
        "detail-type": "OrderPlaced",
        "detail": {"orderId": "o", "customerId": "c", "items": [{"sku": "x", "quantity": 1}]},
    }
)


class Consumer:
    """An inbox whose handler does whatever it is given."""

    def __init__(self, dlq: RecordingPoisonQueue | None = None) -> None:
        self.handled: list[str] = []
        self.dlq = dlq or RecordingPoisonQueue()
        self.telemetry = RecordingTelemetry()
        self._inbox = Inbox("order", [OrderPlaced], self._handle, self.dlq, self.telemetry)

    def _handle(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        self.handled += [delivery.message_id for delivery in deliveries]
        return ()

    def receive(self, **bodies: str) -> list[str]:
        """Deliver a batch; returns the ids of the messages that come again."""
        records = [sqs_record(name, body) for name, body in bodies.items()]
        answer = self._inbox.receive({"Records": records})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_half_a_character_is_not_json_and_holds_nobody_up() -> None:
    consumer = Consumer()

    assert consumer.receive(good=GOOD, half="\ud800") == []

    assert consumer.handled == ["good"]
    assert [(one.message_id, one.reason) for one in consumer.dlq.sent] == [("half", "invalid_json")]


class FullPoisonQueue(RecordingPoisonQueue):
    """A queue that refuses a call with anything too large in it, in a way that no retry mends."""

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        if any(len(one.body) > 100 for one in poison):
            raise ValueError("BatchRequestTooLong")
        return super().send(poison)


def test_a_message_that_cannot_be_buried_is_left_to_its_queue_alone() -> None:
    consumer = Consumer(FullPoisonQueue())

    assert consumer.receive(good=GOOD, small="{", large="{" * 101) == ["large"]

    assert consumer.handled == ["good"]
    assert [one.message_id for one in consumer.dlq.sent] == ["small"]
    assert [str(error) for error in consumer.telemetry.errors] == ["BatchRequestTooLong"] * 2


@pytest.mark.parametrize(
    ("detail", "about"),
    [
        ({"orderId": "o-3"}, Key("default", "o-3")),
        ({"orderId": "o-3", "tenantId": "acme"}, Key("acme", "o-3")),
        ({"orderId": "o-3", "tenantId": 7}, None),
        ({"orderId": "o#3"}, None),
        ({"orderId": 3}, None),
        ({"orderId": "x" * 129}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("name", ["OrderPlaced", "OrderConfirmed"])
def test_a_message_that_cannot_be_read_is_logged_with_the_order_it_names(
    detail: dict[str, object], about: Key | None, name: str
) -> None:
    consumer = Consumer()

    consumer.receive(bad=json.dumps({"detail-type": name, "detail": detail}))

    [(event, key, fields)] = consumer.telemetry.lines
    assert (event, key, fields["message_id"]) == (LogEvent.MESSAGE_POISON, about, "bad")


@pytest.mark.parametrize("body", ["{", "[]", '{"detail": []}'])
def test_a_message_without_a_detail_is_logged_without_an_order(body: str) -> None:
    consumer = Consumer()

    consumer.receive(bad=body)

    assert [(event, key) for event, key, _ in consumer.telemetry.lines] == [(LogEvent.MESSAGE_POISON, None)]
