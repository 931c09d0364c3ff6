"""What a repair hands over is understood by the services, and ends as it would have ended by itself."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scripts.ops.reconcile.repair import repair
from services.order.service import OrderService
from services.payment.gateway import ChargeRequest
from services.payment.service import PaymentService
from services.shared.adapters.sqs_batch import Inbox
from services.shared.events import Event, PaymentRequested, RefundRequested
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Key, Order, Payment, Status
from tests.support.builders import no_waiting, sqs_event
from tests.support.fakes import (
    START,
    BookkeepingGateway,
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
    """The services over the same books as the desk, fed by hand."""

    def __init__(self) -> None:
        self.ops = MemoryOpsContext([a_stock(stock=10)])
        self.gateway = BookkeepingGateway()
        self.bus = RecordingBus()
        self._ledger = GroupCommit(self.ops.store, waits=no_waiting(2))

    def holds(self, order: Order) -> None:
        self.ops.holds(order)
        if order.status is Status.RESERVED:
            shelf = replace(a_stock(stock=10), reserved=2, available=8)
            self.ops.store.stock[shelf.key] = shelf

    def charged(self, order: Order) -> None:
        """Have the gateway charge an order without anybody noting it."""
        self.gateway.charge(ChargeRequest(order.key.pk, order.key.id, order.amount_minor, "USD", None))

    def deliver(self, function: str) -> None:
        """Bring what lies in a queue to its function, which must take all of it."""
        telemetry, clock = RecordingTelemetry(), self.ops.time
        orders = OrderService(self._ledger, self.bus, telemetry, clock=clock, hold=timedelta(minutes=15))
        payments = PaymentService(self._ledger, self.bus, self.gateway, telemetry, clock=clock)
        entries: dict[str, tuple[list[type[Event]], Handle]] = {
            "expiry": ([PaymentRequested], orders.expire),
            "payment": ([PaymentRequested, RefundRequested], payments.handle),
        }
        accepts, handle = entries[function]
        buried = RecordingPoisonQueue()
        queue = self.ops.queues[function]
        answer = Inbox(function, accepts, handle, buried, telemetry).receive(sqs_event(*queue.bodies))
        assert (answer["batchItemFailures"], buried.buried) == ([], [])
        queue.bodies.clear()

    def order(self) -> Order:
        return self.ops.store.orders[Key("default", "o-1")]


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def test_a_reservation_past_its_time_is_released_and_told(pipeline: Pipeline) -> None:
    pipeline.holds(an_order())
    pipeline.ops.time.advance(timedelta(hours=1))

    repair(pipeline.ops, GRACE)
    pipeline.deliver("expiry")

    assert (pipeline.order().status, pipeline.order().reason) == (Status.CANCELLED, "reservation_expired")
    assert pipeline.ops.store.stock[Key("default", "prod-001")].available == 10
    assert pipeline.bus.names() == ["OrderCancelled"]


def test_a_charge_that_nobody_noted_is_given_back_and_told(pipeline: Pipeline) -> None:
    called_off = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
    pipeline.holds(called_off)
    pipeline.charged(called_off)

    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    assert pipeline.order().payment == Payment(
        charge_id="ch-o-1", refund_id="re-ch-o-1-2000USD", refund_reason="order_no_longer_reserved"
    )
    assert pipeline.bus.names() == ["PaymentProcessed", "RefundProcessed"]


def test_an_order_called_off_that_was_never_charged_stays_as_it_is(pipeline: Pipeline) -> None:
    called_off = an_order().moved(Status.CANCELLED, START, "e", reason="reservation_expired")
    pipeline.holds(called_off)

    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    assert pipeline.order() == called_off
    assert pipeline.gateway.calls == []
    assert pipeline.bus.published == []


def test_a_repair_that_is_run_again_finds_nothing_to_do(pipeline: Pipeline) -> None:
    called_off = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
    pipeline.holds(called_off)
    pipeline.charged(called_off)
    repair(pipeline.ops, GRACE)
    pipeline.deliver("payment")

    again = repair(pipeline.ops, GRACE)

    assert (again.to_release, again.to_finish, again.to_look_up) == (0, 0, 0)
