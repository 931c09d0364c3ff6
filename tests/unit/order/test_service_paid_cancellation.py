"""A cancelled order that was paid requests its refund, with the same event each time."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from services.order.service import OrderService
from services.payment.service import PaymentService
from services.payment.simulated_gateway import SimulatedGateway
from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderPlaced,
    PaymentRequested,
    RefundRequested,
)
from services.shared.group_commit import GroupCommit
from services.shared.log_events import LogEvent
from services.shared.messages import Delivery
from tests.support.fakes import START, ManualClock, MemoryStore, RecordingBus, RecordingTelemetry, a_stock


def _call_off(n: int) -> OrderCancellationRequested:
    return OrderCancellationRequested(
        event_id=f"request-{n}",
        correlation_id="order-1",
        occurred_at=START + timedelta(seconds=n),
        order_id="order-1",
    )


def _deliver(handle: object, *events: Event) -> Collection[str]:
    assert callable(handle)
    deliveries: Sequence[Delivery] = [Delivery(str(n), event) for n, event in enumerate(events)]
    retry: Collection[str] = handle(deliveries)
    return retry


def test_being_called_off_twice_asks_for_one_and_the_same_refund() -> None:
    bus, clock, telemetry = RecordingBus(), ManualClock(), RecordingTelemetry()
    ledger = GroupCommit(MemoryStore([a_stock("apple")]))
    orders = OrderService(ledger, bus, telemetry, clock=clock, hold=timedelta(minutes=15))
    payments = PaymentService(ledger, bus, SimulatedGateway(), telemetry, clock=clock)
    placed = {"orderId": "order-1", "customerId": "c", "items": [{"sku": "apple", "quantity": 1}]}
    _deliver(orders.handle, OrderPlaced.model_validate({**placed, "eventId": "e", "occurredAt": START}))
    _deliver(payments.handle, *(event for event in bus.published if isinstance(event, PaymentRequested)))

    _deliver(orders.handle, _call_off(1))
    _deliver(orders.handle, _call_off(2))

    first, second = (event for event in bus.published if isinstance(event, RefundRequested))
    assert first == second


def _paid(**more: object) -> tuple[OrderService, RecordingBus, RecordingTelemetry]:
    """Place and pay an order; returns its service, and a bus on which nothing was published yet."""
    bus, clock, telemetry = RecordingBus(), ManualClock(), RecordingTelemetry()
    ledger = GroupCommit(MemoryStore([a_stock("apple")]))
    orders = OrderService(ledger, bus, telemetry, clock=clock, hold=timedelta(minutes=15))
    payments = PaymentService(ledger, bus, SimulatedGateway(), telemetry, clock=clock)
    placed = {"orderId": "order-1", "customerId": "c", "items": [{"sku": "apple", "quantity": 1}], **more}
    _deliver(orders.handle, OrderPlaced.model_validate({**placed, "eventId": "e", "occurredAt": START}))
    _deliver(payments.handle, *(event for event in bus.published if isinstance(event, PaymentRequested)))
    bus.published.clear()
    return orders, bus, telemetry


def test_a_paid_order_is_cancelled_until_it_may_have_been_shipped() -> None:
    orders, bus, _ = _paid(cancellableUntil=START + timedelta(seconds=5))

    _deliver(orders.handle, _call_off(5))

    assert bus.names() == ["RefundRequested"]


def test_a_paid_order_is_not_cancelled_and_not_restocked_afterwards() -> None:
    orders, bus, telemetry = _paid(cancellableUntil=START + timedelta(seconds=5))

    retry = _deliver(orders.handle, _call_off(6))

    assert (retry, bus.names()) == (set(), [])
    assert telemetry.lines[-1][0] is LogEvent.CANCELLATION_LATE


def test_a_cancellation_in_time_counts_beside_one_that_is_late() -> None:
    orders, bus, _ = _paid(cancellableUntil=START + timedelta(seconds=5))

    _deliver(orders.handle, _call_off(6), _call_off(5))

    assert bus.names() == ["RefundRequested"]
