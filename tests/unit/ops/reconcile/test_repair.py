"""The services process what a repair sends, with the same result as without the fault."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scripts.ops.reconcile.repair import repair
from services.order.service import OrderService
from services.payment.gateway import ChargeRequest
from services.payment.service import PaymentService
from services.shared.adapters.sqs_batch import Inbox
from services.shared.events import Event, OrderCancelled, PaymentRequested, RefundRequested
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Key, Order, Status
from tests.support.builders import no_waiting, sqs_event
from tests.support.fakes import (
    START,
    FakeGateway,
    RecordingBus,
    RecordingPoisonQueue,
    RecordingTelemetry,
    a_stock,
)
from tests.support.ops_context import MemoryOpsContext, an_order

if TYPE_CHECKING:
    from services.shared.messages import Handle

GRACE = timedelta(minutes=2)


class Pipeline:
    """The services over the same store as the operator tools; messages are delivered by hand."""

    def __init__(self) -> None:
        self.ops = MemoryOpsContext([a_stock(stock=10)])
        self.gateway = FakeGateway()
        self.bus = RecordingBus()
        self._ledger = GroupCommit(self.ops.store, waits=no_waiting(2))

    def store(self, order: Order) -> None:
        self.ops.add_orders(order)
        if order.status is Status.RESERVED:
            stock = replace(a_stock(stock=10), reserved=2, available=8)
            self.ops.store.stock[stock.key] = stock

    def charge(self, order: Order) -> None:
        """Have the gateway charge an order without a record of it."""
        self.gateway.charge(ChargeRequest(order.key.pk, order.key.id, order.amount_minor, "USD", None))

    def deliver(self, function: str) -> None:
        """Deliver the messages of a queue to its function, which must process all of them."""
        telemetry, clock = RecordingTelemetry(), self.ops.time
        orders = OrderService(self._ledger, self.bus, telemetry, clock=clock, hold=timedelta(minutes=15))
        payments = PaymentService(self._ledger, self.bus, self.gateway, telemetry, clock=clock)
        entries: dict[str, tuple[list[type[Event]], Handle]] = {
            "expiry": ([PaymentRequested], orders.expire),
            "payment": ([PaymentRequested, OrderCancelled, RefundRequested], payments.handle),
        }
        accepts, handle = entries[function]
        dlq = RecordingPoisonQueue()
        queue = self.ops.work_queues[function]
        response = Inbox(function, accepts, handle, dlq, telemetry).receive(sqs_event(*queue.bodies))
        assert (response["batchItemFailures"], dlq.sent) == ([], [])
        queue.bodies.clear()

    def order(self) -> Order:
        return self.ops.store.orders[Key("default", "o-1")]


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def test_an_overdue_reservation_is_released_with_an_event(pipeline: Pipeline) -> None:
    pipeline.store(an_order())
    pipeline.ops.time.advance(timedelta(hours=1))

    repair(pipeline.ops, GRACE)
    pipeline.deliver("expiry")

    assert (pipeline.order().status, pipeline.order().reason) == (Status.CANCELLED, "reservation_expired")
    assert pipeline.ops.store.stock[Key("default", "prod-001")].available == 10
    assert pipeline.bus.names() == ["OrderCancelled"]


def test_an_unrecorded_charge_is_refunded_with_an_event(pipeline: Pipeline) -> None:
    cancelled = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
    pipeline.store(cancelled)
    pipeline.charge(cancelled)

    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    payment = pipeline.order().payment
    assert payment is not None
    assert (payment.charge_id, payment.refunded_minor) == ("ch-o-1", 2_000)
    assert pipeline.bus.names() == ["PaymentProcessed", "RefundProcessed"]


def test_a_cancelled_order_that_was_never_charged_stays_as_it_is(pipeline: Pipeline) -> None:
    cancelled = an_order().moved(Status.CANCELLED, START, "e", reason="reservation_expired")
    pipeline.store(cancelled)

    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    assert pipeline.order() == cancelled
    assert pipeline.gateway.calls == []
    assert pipeline.bus.published == []


def test_a_second_repair_finds_nothing_to_do(pipeline: Pipeline) -> None:
    cancelled = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
    pipeline.store(cancelled)
    pipeline.charge(cancelled)
    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    second = repair(pipeline.ops, GRACE)

    assert (second.to_release, second.to_finish, second.to_look_up) == (0, 0, 0)
