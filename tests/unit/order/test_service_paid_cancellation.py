"""An order that is called off after it was paid asks for its refund, in the same words each time."""

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
