"""Calling off an order that was paid already asks for its refund."""

from datetime import timedelta

from services.order.service import OrderService
from services.shared.events import OrderCancellationRequested
from services.shared.group_commit import GroupCommit
from services.shared.inbox import Delivery
from services.shared.ledger import Key, Line, Order, Payment, Status, Transition
from tests.fakes import START, ManualClock, MemoryStore, RecordingBus, RecordingTelemetry


def _request(event_id: str, minute: int) -> OrderCancellationRequested:
    at = START + timedelta(minutes=minute)
    return OrderCancellationRequested.model_validate(
        {"event_id": event_id, "order_id": "order-1", "occurred_at": at}
    )


def _shop_with_a_paid_order() -> tuple[OrderService, RecordingBus]:
    store, bus = MemoryStore(), RecordingBus()
    order = Order(
        key=Key("default", "order-1"),
        status=Status.CONFIRMED,
        customer_id="customer-1",
        lines=(Line("apple", 2, 1_000),),
        placed_at=START,
        history=(Transition(Status.RESERVED, START, "e1"), Transition(Status.CONFIRMED, START, "e2")),
        amount_minor=2_000,
        currency="USD",
        payment=Payment(charge_id="ch-1"),
    )
    store.orders[order.key] = order
    clock = ManualClock()
    service = OrderService(
        GroupCommit(store), bus, RecordingTelemetry(), clock=clock, hold=timedelta(minutes=15)
    )
    return service, bus


def test_two_requests_ask_for_two_refunds_that_are_told_apart() -> None:
    service, bus = _shop_with_a_paid_order()

    service.handle([Delivery("m1", _request("first", 1))])
    service.handle([Delivery("m2", _request("second", 2))])

    first, second = bus.published
    assert first.occurred_at != second.occurred_at
    assert first.event_id != second.event_id


def test_a_request_delivered_again_asks_for_the_same_refund() -> None:
    service, bus = _shop_with_a_paid_order()

    service.handle([Delivery("m1", _request("first", 1))])
    service.handle([Delivery("m1", _request("first", 1))])

    first, second = bus.published
    assert first == second
