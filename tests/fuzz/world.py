"""The three consumers over ports in memory, which still write and read what they would on the wire."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from services.order.service import OrderService
from services.payment.service import PaymentService
from services.shared.adapters.dynamodb_items import order_item, order_of
from services.shared.adapters.sqs_batch import Inbox
from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderCancelled,
    OrderPlaced,
    PaymentRequested,
    RefundRequested,
    rfc3339,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import OrderWrite, Verdict, Write
from tests.support.builders import sqs_record
from tests.support.fakes import (
    START,
    FakeGateway,
    ManualClock,
    MemoryStore,
    RecordingPoisonQueue,
    RecordingTelemetry,
    a_stock,
)

HOLD = timedelta(minutes=15)
SKUS = ("apple", "pear", "plum")
CONSUMERS = ("order", "payment", "expiry")
_LARGEST_EVENT = 240_000
_LARGEST_ITEM = 400_000

Record = dict[str, Any]


class WireStore(MemoryStore):
    """Keeps orders as they come back from the table they were written to."""

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        return super().transact([_through_the_table(write) for write in writes])


def _through_the_table(write: Write) -> Write:
    if not isinstance(write, OrderWrite):
        return write
    item = order_item(write.after)
    assert len(json.dumps(item)) < _LARGEST_ITEM, "an order must fit an item"
    return replace(write, after=order_of(item))


class WireBus:
    """Keeps events as they would leave."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        for event in events:
            wire = event.wire()
            assert len(wire.encode()) < _LARGEST_EVENT, "an event must fit an entry"
            assert type(event).model_validate_json(wire).event_id == event.event_id
            self.sent.append((event.detail_type(), wire))
        return ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How one invocation ended: ids of messages buried, and of those that come again."""

    sent: tuple[str, ...]
    retry: frozenset[str]


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = WireStore([a_stock(sku, 1_000, price=100 * n) for n, sku in enumerate(SKUS)])
        self.bus = WireBus()
        self.dlq = RecordingPoisonQueue()
        self.telemetry = RecordingTelemetry()
        ledger = GroupCommit(self.store, waits=lambda: iter([True] * 3))
        orders = OrderService(ledger, self.bus, self.telemetry, clock=self.clock, hold=HOLD)
        payments = PaymentService(ledger, self.bus, FakeGateway(), self.telemetry, clock=self.clock)
        self._inboxes = {
            "order": self._inbox("order", [OrderPlaced, OrderCancellationRequested], orders.handle),
            "payment": self._inbox(
                "payment", [PaymentRequested, OrderCancelled, RefundRequested], payments.handle
            ),
            "expiry": self._inbox("expiry", [PaymentRequested], orders.expire),
        }

    def _inbox(self, consumer: str, accepts: Sequence[type[Event]], handle: Any) -> Inbox:  # noqa: ANN401 - a Handle
        return Inbox(consumer, accepts, handle, self.dlq, self.telemetry)

    def invoke(self, consumer: str, raw: object) -> Ended:
        """Call a function as Lambda would; its answer must be a partial batch response."""
        before = len(self.dlq.sent)
        answer = self._inboxes[consumer].receive(raw)
        assert answer.keys() == {"batchItemFailures"}
        retry = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        assert len(retry) == len(set(retry)), "a message comes again once"
        sent = [poison.message_id for poison in self.dlq.sent[before:]]
        return Ended(tuple(sent), frozenset(retry))

    def open_orders(self, *names: str) -> None:
        """Reserve something for each of these orders, so that there is something to pay and to release."""
        placed = [
            json.dumps({"orderId": name, "customerId": "c", "items": [{"sku": SKUS[1], "quantity": 2}]})
            for name in names
        ]
        self.invoke("order", {"Records": [_record(n, "OrderPlaced", one) for n, one in enumerate(placed)]})
        assert len(self.store.orders) == len(names)

    def settle(self) -> None:
        """Deliver the events of the functions to each other until there are no more."""
        delivered = 0
        for _ in range(4):
            fresh = self.bus.sent[delivered:]
            delivered = len(self.bus.sent)
            records = [_record(n, name, wire) for n, (name, wire) in enumerate(fresh)]
            requests = [record for record in records if '"PaymentRequested"' in record["body"]]
            others = [
                record
                for record in records
                if '"RefundRequested"' in record["body"] or '"OrderCancelled"' in record["body"]
            ]
            paid = self.invoke("payment", {"Records": requests + others})
            assert not paid.sent, "what we tell each other can be read"
            self.clock.advance(HOLD)
            expired = self.invoke("expiry", {"Records": requests})
            assert not expired.sent, "what we tell each other can be read"


def _record(n: int, name: str, wire: str) -> Record:
    envelope = {"id": f"e{n}", "time": rfc3339(START), "detail-type": name, "detail": json.loads(wire)}
    record: Record = sqs_record(f"delivered-{n}", json.dumps(envelope))
    return record
