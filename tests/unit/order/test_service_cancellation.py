"""How the order service cancels orders, over a ledger in memory."""

from datetime import timedelta

from services.order.service import OrderService
from services.shared.events import (
    OrderCancelled,
    RefundRequested,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Busy, Passed, Status
from tests.support.builders import HOLD, cancellation, deliveries, no_waiting, placed
from tests.support.fakes import (
    START,
    ScriptedStore,
    a_stock,
)
from tests.support.order_service import OrderFixture


def test_a_reserved_order_is_cancelled_and_its_stock_released() -> None:
    fixture = OrderFixture()
    fixture.handle(placed(quantity=2))
    fixture.clock.advance(timedelta(minutes=1))

    retry = fixture.handle(cancellation())

    assert retry == set()
    assert (fixture.order().status, fixture.order().reason) == (Status.CANCELLED, "customer_request")
    assert fixture.order().history[-1].event_id == "cancel-order-1"
    assert fixture.stock() == (10, 0, 10)
    event = fixture.bus.published[-1]
    assert isinstance(event, OrderCancelled)
    assert (event.reason, event.occurred_at) == ("customer_request", START + timedelta(minutes=1))
    assert fixture.telemetry.counted("orders_total", outcome="cancelled") == 1
    assert fixture.telemetry.counted("inventory_units_total", operation="release") == 2


def test_an_order_placed_and_called_off_in_one_batch_ends_cancelled() -> None:
    fixture = OrderFixture()

    retry = fixture.handle(cancellation(), placed())

    assert retry == set()
    assert fixture.order().status is Status.CANCELLED
    assert fixture.stock() == (10, 0, 10)


def test_a_cancellation_that_overtakes_its_order_goes_back() -> None:
    fixture = OrderFixture()

    assert fixture.handle(cancellation()) == {"m0"}
    assert fixture.bus.published == []


def test_a_cancellation_that_overtook_its_order_works_when_it_comes_again() -> None:
    fixture = OrderFixture()
    fixture.handle(cancellation())
    fixture.handle(placed())

    assert fixture.handle(cancellation()) == set()
    assert fixture.order().status is Status.CANCELLED


def test_a_repeated_cancellation_has_no_second_effect_and_the_same_event() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.handle(cancellation(), cancellation())
    fixture.clock.advance(timedelta(minutes=1))
    fixture.handle(cancellation())

    assert fixture.stock() == (10, 0, 10)
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled", "OrderCancelled"]
    assert fixture.bus.published[1] == fixture.bus.published[2]
    assert fixture.telemetry.counted("orders_total", outcome="cancelled") == 1


def test_a_crash_between_cancelling_and_publishing_is_finished_by_the_redelivery() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.bus.refuse = 1

    lost = fixture.handle(cancellation())
    delivered = fixture.handle(cancellation())

    assert (lost, delivered) == ({"m0"}, set())
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled"]


def test_a_cancellation_of_a_paid_order_asks_for_a_refund_with_restock() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.pay()

    retry = fixture.handle(cancellation())

    assert retry == set()
    assert fixture.order().status is Status.CONFIRMED
    event = fixture.bus.published[-1]
    assert isinstance(event, RefundRequested)
    assert (event.restock, event.reason, event.order_id) == (True, "customer_request", "order-1")


def test_a_repeated_cancellation_of_a_paid_order_asks_for_the_same_refund() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.pay()

    fixture.handle(cancellation())
    fixture.handle(cancellation())

    assert fixture.bus.published[-1] == fixture.bus.published[-2]


def test_a_cancellation_of_a_rejected_order_changes_nothing() -> None:
    fixture = OrderFixture()
    fixture.handle(placed(quantity=99))

    assert fixture.handle(cancellation()) == set()
    assert fixture.order().status is Status.REJECTED
    assert fixture.bus.names() == ["OrderRejected"]


def test_a_cancellation_in_contention_goes_back() -> None:
    store = ScriptedStore([a_stock()], [])
    fixture = OrderFixture(store=store)
    fixture.handle(placed())
    fixture.store = ScriptedStore([], [[Busy(), Passed()]] * 99)
    fixture.store.orders, fixture.store.stock = store.orders, store.stock
    contended = OrderService(
        GroupCommit(fixture.store, waits=no_waiting(1)),
        fixture.bus,
        fixture.telemetry,
        clock=fixture.clock,
        hold=HOLD,
    )

    retry = contended.handle(deliveries(cancellation()))

    assert retry == {"m0"}
    assert fixture.order().status is Status.RESERVED
