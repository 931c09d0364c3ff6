"""What the order service does with orders that are called off, over a ledger in memory."""

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
from tests.support.order_service import Shop


def test_a_reserved_order_is_cancelled_and_its_stock_released() -> None:
    shop = Shop()
    shop.handle(placed(quantity=2))
    shop.clock.advance(timedelta(minutes=1))

    again = shop.handle(cancellation())

    assert again == set()
    assert (shop.order().status, shop.order().reason) == (Status.CANCELLED, "customer_request")
    assert shop.order().history[-1].event_id == "cancel-order-1"
    assert shop.stock() == (10, 0, 10)
    event = shop.bus.published[-1]
    assert isinstance(event, OrderCancelled)
    assert (event.reason, event.occurred_at) == ("customer_request", START + timedelta(minutes=1))
    assert shop.telemetry.counted("orders_total", outcome="cancelled") == 1
    assert shop.telemetry.counted("inventory_units_total", operation="release") == 2


def test_an_order_placed_and_called_off_in_one_batch_ends_cancelled() -> None:
    shop = Shop()

    again = shop.handle(cancellation(), placed())

    assert again == set()
    assert shop.order().status is Status.CANCELLED
    assert shop.stock() == (10, 0, 10)


def test_a_cancellation_that_overtakes_its_order_goes_back() -> None:
    shop = Shop()

    assert shop.handle(cancellation()) == {"m0"}
    assert shop.bus.published == []


def test_a_cancellation_that_overtook_its_order_works_when_it_comes_again() -> None:
    shop = Shop()
    shop.handle(cancellation())
    shop.handle(placed())

    assert shop.handle(cancellation()) == set()
    assert shop.order().status is Status.CANCELLED


def test_a_repeated_cancellation_has_no_second_effect_and_the_same_event() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.handle(cancellation(), cancellation())
    shop.clock.advance(timedelta(minutes=1))
    shop.handle(cancellation())

    assert shop.stock() == (10, 0, 10)
    assert shop.bus.names() == ["PaymentRequested", "OrderCancelled", "OrderCancelled"]
    assert shop.bus.published[1] == shop.bus.published[2]
    assert shop.telemetry.counted("orders_total", outcome="cancelled") == 1


def test_a_crash_between_cancelling_and_publishing_is_finished_by_the_redelivery() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.bus.refuse = 1

    lost = shop.handle(cancellation())
    delivered = shop.handle(cancellation())

    assert (lost, delivered) == ({"m0"}, set())
    assert shop.bus.names() == ["PaymentRequested", "OrderCancelled"]


def test_a_cancellation_of_a_paid_order_asks_for_a_refund_with_restock() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.pay()

    again = shop.handle(cancellation())

    assert again == set()
    assert shop.order().status is Status.CONFIRMED
    event = shop.bus.published[-1]
    assert isinstance(event, RefundRequested)
    assert (event.restock, event.reason, event.order_id) == (True, "customer_request", "order-1")


def test_a_repeated_cancellation_of_a_paid_order_asks_for_the_same_refund() -> None:
    shop = Shop()
    shop.handle(placed())
    shop.pay()

    shop.handle(cancellation())
    shop.handle(cancellation())

    assert shop.bus.published[-1] == shop.bus.published[-2]


def test_a_cancellation_of_a_rejected_order_changes_nothing() -> None:
    shop = Shop()
    shop.handle(placed(quantity=99))

    assert shop.handle(cancellation()) == set()
    assert shop.order().status is Status.REJECTED
    assert shop.bus.names() == ["OrderRejected"]


def test_a_cancellation_in_contention_goes_back() -> None:
    store = ScriptedStore([a_stock()], [])
    shop = Shop(store=store)
    shop.handle(placed())
    shop.store = ScriptedStore([], [[Busy(), Passed()]] * 99)
    shop.store.orders, shop.store.stock = store.orders, store.stock
    contended = OrderService(
        GroupCommit(shop.store, waits=no_waiting(1)), shop.bus, shop.telemetry, clock=shop.clock, hold=HOLD
    )

    again = contended.handle(deliveries(cancellation()))

    assert again == {"m0"}
    assert shop.order().status is Status.RESERVED
