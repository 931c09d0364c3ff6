"""What the order service does with orders that are placed, over a ledger in memory."""

from collections.abc import Collection, Mapping
from datetime import timedelta

import pytest

from services.shared.errors import StoreUnavailableError
from services.shared.events import (
    Event,
    OrderRejected,
    PaymentRequested,
    PricedItem,
)
from services.shared.ledger import Busy, Key, Order, Passed, Price, Status, Stock
from services.shared.log_events import LogEvent
from tests.support.builders import HOLD, a_key, cancellation, placed
from tests.support.fakes import (
    START,
    MemoryStore,
    ScriptedStore,
    a_stock,
)
from tests.support.order_service import Shop


def test_a_placed_order_is_reserved_and_its_payment_requested() -> None:
    shop = Shop()

    again = shop.handle(placed(quantity=2, paymentMethod="sim_ok"))

    assert again == set()
    assert shop.order().status is Status.RESERVED
    assert shop.stock() == (10, 2, 8)
    (event,) = shop.bus.published
    assert isinstance(event, PaymentRequested)
    assert event.items == (PricedItem(sku="prod-001", quantity=2, unit_price_minor=1_000),)
    assert (event.order_id, event.correlation_id, event.customer_id) == ("order-1", "order-1", "customer-1")
    assert (event.amount_minor, event.currency, event.payment_method) == (2_000, "USD", "sim_ok")
    assert (event.occurred_at, event.expires_at) == (START, START + HOLD)


def test_an_order_was_placed_when_the_publisher_says_or_else_when_its_event_occurred() -> None:
    shop = Shop()
    shop.clock.advance(timedelta(minutes=1))

    shop.handle(placed("order-1"), placed("order-2", placedAt=START - timedelta(hours=1)))

    assert shop.order("order-1").placed_at == START
    assert shop.order("order-2").placed_at == START - timedelta(hours=1)


def test_lines_of_one_sku_are_added_up_before_they_are_reserved() -> None:
    shop = Shop(a_stock(stock=3))
    lines = [{"sku": "prod-001", "quantity": 2}, {"sku": "prod-001", "quantity": 2}]

    shop.handle(placed(items=lines))

    assert shop.order().reason == "out_of_stock"
    assert shop.stock() == (3, 0, 3)


@pytest.mark.parametrize(
    ("wants", "reason", "blamed"),
    [
        ([("a", 11)], "out_of_stock", ("a",)),
        ([("a", 1), ("nothing", 1)], "unknown_sku", ("nothing",)),
        ([("a", 1), ("b", 1)], "currency_mismatch", ("a", "b")),
    ],
)
def test_an_order_that_cannot_be_filled_is_rejected_with_the_reason(
    wants: list[tuple[str, int]], reason: str, blamed: tuple[str, ...]
) -> None:
    shop = Shop(a_stock("a"), a_stock("b", currency="EUR"))

    again = shop.handle(placed(items=[{"sku": sku, "quantity": quantity} for sku, quantity in wants]))

    assert again == set()
    (event,) = shop.bus.published
    assert isinstance(event, OrderRejected)
    assert (event.reason, event.skus, event.customer_id) == (reason, blamed, "customer-1")
    assert (shop.stock("a"), shop.stock("b")) == ((10, 0, 10), (10, 0, 10))
    assert shop.telemetry.counted("orders_total", outcome="rejected") == 1
    assert shop.telemetry.counted("inventory_operations_total", operation="reserve", outcome=reason) == 1


def test_a_reservation_is_counted_told_and_timed() -> None:
    shop = Shop()

    shop.handle(placed(quantity=2))

    assert shop.telemetry.counted("orders_total", outcome="reserved") == 1
    assert shop.telemetry.counted("inventory_units_total", operation="reserve") == 2
    assert shop.telemetry.counted("events_published_total", event="PaymentRequested") == 1
    assert shop.telemetry.lines == [
        (LogEvent.ORDER_RESERVED, a_key("order-1"), {"amount_minor": 2_000, "currency": "USD"})
    ]
    assert [metric for metric, _ in shop.telemetry.observations] == ["order_processing_duration_seconds"]


def test_the_last_unit_goes_to_the_first_order_of_a_batch() -> None:
    shop = Shop(a_stock(stock=1))

    shop.handle(placed("order-2"), placed("order-1"))

    assert (shop.order("order-2").status, shop.order("order-1").status) == (Status.RESERVED, Status.REJECTED)


def test_an_order_placed_twice_in_one_batch_is_reserved_once_and_announced_once() -> None:
    shop = Shop()

    again = shop.handle(placed(), placed())

    assert again == set()
    assert shop.stock() == (10, 1, 9)
    assert shop.bus.names() == ["PaymentRequested"]
    assert shop.telemetry.counted("orders_total", outcome="reserved") == 1
    assert shop.telemetry.counted("orders_total", outcome="duplicate") == 1


@pytest.mark.parametrize("quantity", [1, 99], ids=["reserved", "rejected"])
def test_an_order_placed_again_later_has_no_second_effect_and_the_same_event(quantity: int) -> None:
    shop = Shop()
    shop.handle(placed(quantity=quantity))
    shop.clock.advance(timedelta(minutes=5))
    stock, order = shop.stock(), shop.order()

    again = shop.handle(placed(quantity=quantity))

    assert again == set()
    assert (shop.stock(), shop.order()) == (stock, order)
    first, second = shop.bus.published
    assert first == second
    assert shop.telemetry.counted("orders_total", outcome="duplicate") == 1


@pytest.mark.parametrize("settle", ["pay", "cancel"])
def test_an_order_placed_again_after_it_was_settled_says_nothing(settle: str) -> None:
    shop = Shop()
    shop.handle(placed())
    if settle == "pay":
        shop.pay()
    else:
        shop.handle(cancellation())
    order = shop.order()
    shop.bus.published.clear()

    again = shop.handle(placed())

    assert again == set()
    assert shop.order() == order
    assert shop.bus.published == []


@pytest.mark.parametrize(
    "other", [placed(quantity=2), placed(customerId="customer-2"), placed(sku="prod-002")]
)
def test_another_order_under_a_taken_id_is_warned_about_and_ignored(other: Event) -> None:
    shop = Shop()
    shop.handle(placed())

    again = shop.handle(other)

    assert again == set()
    assert shop.stock() == (10, 1, 9)
    assert LogEvent.ORDER_CONFLICT in shop.logged()


def test_a_redelivery_is_not_taken_for_another_order() -> None:
    shop = Shop()
    shop.handle(placed())

    shop.handle(placed())

    assert shop.logged()[-1] is LogEvent.ORDER_DUPLICATE


def test_one_order_id_of_two_tenants_is_two_orders() -> None:
    other = Stock(a_key("prod-001")._replace(tenant_id="shop-2"), 5, 0, 5, Price(700, "EUR"))
    shop = Shop(a_stock(), other)

    shop.handle(placed(), placed(tenantId="shop-2"))

    assert [event.tenant_id for event in shop.bus.published] == ["default", "shop-2"]
    assert len({event.event_id for event in shop.bus.published}) == 2


def test_an_order_in_contention_goes_back_and_is_never_rejected() -> None:
    shop = Shop(store=ScriptedStore([a_stock()], [[Passed(), Busy()]] * 99))

    again = shop.handle(placed(), placed())

    assert again == {"m0", "m1"}
    assert shop.store.orders == {}
    assert shop.bus.published == []
    assert shop.telemetry.counted("inventory_operations_total", operation="reserve", outcome="contended") == 1


def test_a_crash_between_commit_and_publish_is_finished_by_the_redelivery() -> None:
    shop = Shop()
    shop.bus.refuse = 2

    lost = shop.handle(placed("order-1"), placed("order-2", quantity=99), placed("order-3"))
    delivered = shop.handle(placed("order-1"), placed("order-2", quantity=99))

    assert (lost, delivered) == ({"m0", "m1"}, set())
    assert shop.bus.names() == ["PaymentRequested", "PaymentRequested", "OrderRejected"]
    assert shop.stock() == (10, 2, 8)


def test_a_refused_event_brings_back_every_message_that_owes_it() -> None:
    shop = Shop()
    shop.bus.refuse = 1

    assert shop.handle(placed(), placed()) == {"m0", "m1"}


class DarkStore(MemoryStore):
    """Writes, but cannot be read."""

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        raise StoreUnavailableError(f"{len(keys)} reads are throttled")


def test_a_store_that_cannot_be_read_makes_the_whole_batch_wait() -> None:
    shop = Shop(store=DarkStore([a_stock()]))

    with pytest.raises(StoreUnavailableError):
        shop.handle(placed(), cancellation())


def test_no_messages_are_no_work() -> None:
    shop = Shop()

    assert (shop.handle(), shop.expire()) == (set(), set())
    assert (shop.store.transactions, shop.telemetry.lines, shop.telemetry.counts) == ([], [], {})
