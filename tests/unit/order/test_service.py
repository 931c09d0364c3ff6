"""What the order service does with orders that are placed, over a ledger in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

import pytest

from services.order.service import OrderService
from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.events import (
    Event,
    OrderConflicted,
    OrderPlaced,
    OrderRejected,
    PaymentRequested,
    PricedItem,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Busy, Key, Order, Passed, Price, Status, Stock, Verdict, Write
from services.shared.log_events import LogEvent
from tests.support.builders import HOLD, a_key, cancellation, deliveries, no_waiting, placed
from tests.support.fakes import (
    START,
    ManualClock,
    MemoryStore,
    RecordingBus,
    RecordingTelemetry,
    ScriptedStore,
    a_stock,
)
from tests.support.order_service import OrderFixture


def test_a_placed_order_is_reserved_and_its_payment_requested() -> None:
    fixture = OrderFixture()

    retry = fixture.handle(placed(quantity=2, paymentMethod="sim_ok"))

    assert retry == set()
    assert fixture.order().status is Status.RESERVED
    assert fixture.stock() == (10, 2, 8)
    (event,) = fixture.bus.published
    assert isinstance(event, PaymentRequested)
    assert event.items == (PricedItem(sku="prod-001", quantity=2, unit_price_minor=1_000),)
    assert (event.order_id, event.correlation_id, event.customer_id) == ("order-1", "order-1", "customer-1")
    assert (event.amount_minor, event.currency, event.payment_method) == (2_000, "USD", "sim_ok")
    assert (event.occurred_at, event.expires_at) == (START, START + HOLD)


def test_an_order_was_placed_when_the_publisher_says_or_else_when_its_event_occurred() -> None:
    fixture = OrderFixture()
    fixture.clock.advance(timedelta(minutes=1))

    fixture.handle(placed("order-1"), placed("order-2", placedAt=START - timedelta(hours=1)))

    assert fixture.order("order-1").placed_at == START
    assert fixture.order("order-2").placed_at == START - timedelta(hours=1)


def test_lines_of_one_sku_are_added_up_before_they_are_reserved() -> None:
    fixture = OrderFixture(a_stock(stock=3))
    lines = [{"sku": "prod-001", "quantity": 2}, {"sku": "prod-001", "quantity": 2}]

    fixture.handle(placed(items=lines))

    assert fixture.order().reason == "out_of_stock"
    assert fixture.stock() == (3, 0, 3)


@pytest.mark.parametrize(
    ("quantities", "reason", "blamed"),
    [
        ([("a", 11)], "out_of_stock", ("a",)),
        ([("a", 1), ("nothing", 1)], "unknown_sku", ("nothing",)),
        ([("a", 1), ("b", 1)], "currency_mismatch", ("a", "b")),
    ],
)
def test_an_order_that_cannot_be_filled_is_rejected_with_the_reason(
    quantities: list[tuple[str, int]], reason: str, blamed: tuple[str, ...]
) -> None:
    fixture = OrderFixture(a_stock("a"), a_stock("b", currency="EUR"))

    retry = fixture.handle(placed(items=[{"sku": sku, "quantity": quantity} for sku, quantity in quantities]))

    assert retry == set()
    (event,) = fixture.bus.published
    assert isinstance(event, OrderRejected)
    assert (event.reason, event.skus, event.customer_id) == (reason, blamed, "customer-1")
    assert (fixture.stock("a"), fixture.stock("b")) == ((10, 0, 10), (10, 0, 10))
    assert fixture.telemetry.counted("orders_total", outcome="rejected") == 1
    assert fixture.telemetry.counted("inventory_operations_total", operation="reserve", outcome=reason) == 1


def test_a_reservation_is_counted_told_and_timed() -> None:
    fixture = OrderFixture()

    fixture.handle(placed(quantity=2))

    assert fixture.telemetry.counted("orders_total", outcome="reserved") == 1
    assert fixture.telemetry.counted("inventory_units_total", operation="reserve") == 2
    assert fixture.telemetry.counted("events_published_total", event="PaymentRequested") == 1
    assert fixture.telemetry.lines == [
        (LogEvent.ORDER_RESERVED, a_key("order-1"), {"amount_minor": 2_000, "currency": "USD"})
    ]
    assert [metric for metric, _ in fixture.telemetry.observations] == ["order_processing_duration_seconds"]


def test_the_last_unit_goes_to_the_first_order_of_a_batch() -> None:
    fixture = OrderFixture(a_stock(stock=1))

    fixture.handle(placed("order-2"), placed("order-1"))

    assert (fixture.order("order-2").status, fixture.order("order-1").status) == (
        Status.RESERVED,
        Status.REJECTED,
    )


def test_an_order_placed_twice_in_one_batch_is_reserved_once_and_announced_once() -> None:
    fixture = OrderFixture()

    retry = fixture.handle(placed(), placed())

    assert retry == set()
    assert fixture.stock() == (10, 1, 9)
    assert fixture.bus.names() == ["PaymentRequested"]
    assert fixture.telemetry.counted("orders_total", outcome="reserved") == 1
    assert fixture.telemetry.counted("orders_total", outcome="duplicate") == 1


@pytest.mark.parametrize("quantity", [1, 99], ids=["reserved", "rejected"])
def test_an_order_placed_again_later_has_no_second_effect_and_the_same_event(quantity: int) -> None:
    fixture = OrderFixture()
    fixture.handle(placed(quantity=quantity))
    fixture.clock.advance(timedelta(minutes=5))
    stock, order = fixture.stock(), fixture.order()

    retry = fixture.handle(placed(quantity=quantity))

    assert retry == set()
    assert (fixture.stock(), fixture.order()) == (stock, order)
    first, second = fixture.bus.published
    assert first == second
    assert fixture.telemetry.counted("orders_total", outcome="duplicate") == 1


@pytest.mark.parametrize("settle", ["pay", "cancel"])
def test_an_order_placed_again_after_it_was_settled_says_nothing(settle: str) -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    if settle == "pay":
        fixture.pay()
    else:
        fixture.handle(cancellation())
    order = fixture.order()
    fixture.bus.published.clear()

    retry = fixture.handle(placed())

    assert retry == set()
    assert fixture.order() == order
    assert fixture.bus.published == []


@pytest.mark.parametrize(
    ("other", "differences"),
    [
        (placed(quantity=2), ("items",)),
        (placed(customerId="customer-2"), ("customer",)),
        (placed(sku="prod-002"), ("items",)),
        (placed(paymentMethod="sim_declined"), ("payment_method",)),
        (placed(customerId="customer-2", quantity=3), ("customer", "items")),
    ],
)
def test_another_order_under_a_taken_id_is_told_apart_and_ignored(
    other: OrderPlaced, differences: tuple[str, ...]
) -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.bus.published.clear()

    retry = fixture.handle(other)

    assert retry == set()
    assert fixture.stock() == (10, 1, 9)
    assert LogEvent.ORDER_CONFLICT in fixture.logged()
    assert fixture.telemetry.counted("orders_total", outcome="conflicted") == 1
    assert fixture.telemetry.counted("orders_total", outcome="duplicate") == 0
    conflicted = fixture.bus.published[0]
    assert isinstance(conflicted, OrderConflicted)
    assert (conflicted.customer_id, conflicted.differences) == (other.customer_id, differences)
    assert conflicted.placed_event_id == other.event_id


def test_a_conflict_is_told_whatever_became_of_the_first_order() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())
    fixture.pay()
    fixture.bus.published.clear()

    fixture.handle(placed(quantity=2))

    assert fixture.bus.names() == ["OrderConflicted"]


def test_a_conflict_that_is_delivered_again_is_the_same_event() -> None:
    fixture = OrderFixture()
    other = placed(quantity=2, eventId="other")
    fixture.handle(placed(), other)
    fixture.clock.advance(timedelta(minutes=5))
    fixture.handle(other)

    first, second = (event for event in fixture.bus.published if isinstance(event, OrderConflicted))
    assert first == second


def test_a_rejected_order_that_is_placed_again_is_no_conflict() -> None:
    fixture = OrderFixture()
    fixture.handle(placed(quantity=99, paymentMethod="sim_ok"))

    fixture.handle(placed(quantity=99, paymentMethod="sim_ok"))

    assert fixture.bus.names() == ["OrderRejected", "OrderRejected"]


def test_an_order_at_the_price_that_was_seen_is_reserved() -> None:
    fixture = OrderFixture()

    fixture.handle(placed(quantity=2, expectedAmountMinor=2_000))

    assert fixture.order().status is Status.RESERVED


def test_an_order_whose_price_changed_since_it_was_seen_is_rejected() -> None:
    fixture = OrderFixture()

    fixture.handle(placed(quantity=2, expectedAmountMinor=1_999))

    (rejected,) = fixture.bus.published
    assert isinstance(rejected, OrderRejected)
    assert (rejected.reason, rejected.skus) == ("price_changed", ("prod-001",))
    assert fixture.stock() == (10, 0, 10)
    assert fixture.telemetry.counted(
        "inventory_operations_total", operation="reserve", outcome="price_changed"
    )


def test_an_order_is_not_rejected_for_a_remembered_price() -> None:
    fixture = OrderFixture()
    fixture.handle(placed("order-0"))
    fixture.store.stock[a_key("prod-001")] = a_stock(price=900)

    fixture.handle(placed(quantity=2, expectedAmountMinor=1_800))

    assert fixture.order().status is Status.RESERVED


def test_a_redelivery_is_not_taken_for_another_order() -> None:
    fixture = OrderFixture()
    fixture.handle(placed())

    fixture.handle(placed())

    assert fixture.logged()[-1] is LogEvent.ORDER_DUPLICATE


def test_one_order_id_of_two_tenants_is_two_orders() -> None:
    other = Stock(a_key("prod-001")._replace(tenant_id="shop-2"), 5, 0, 5, Price(700, "EUR"))
    fixture = OrderFixture(a_stock(), other)

    fixture.handle(placed(), placed(tenantId="shop-2"))

    assert [event.tenant_id for event in fixture.bus.published] == ["default", "shop-2"]
    assert len({event.event_id for event in fixture.bus.published}) == 2


def test_an_order_in_contention_goes_back_and_is_never_rejected() -> None:
    fixture = OrderFixture(store=ScriptedStore([a_stock()], [[Passed(), Busy()]] * 99))

    retry = fixture.handle(placed(), placed())

    assert retry == {"m0", "m1"}
    assert fixture.store.orders == {}
    assert fixture.bus.published == []
    assert (
        fixture.telemetry.counted("inventory_operations_total", operation="reserve", outcome="contended") == 1
    )


def test_a_crash_between_commit_and_publish_is_finished_by_the_redelivery() -> None:
    fixture = OrderFixture()
    fixture.bus.refuse = 2

    lost = fixture.handle(placed("order-1"), placed("order-2", quantity=99), placed("order-3"))
    delivered = fixture.handle(placed("order-1"), placed("order-2", quantity=99))

    assert (lost, delivered) == ({"m0", "m1"}, set())
    assert fixture.bus.names() == ["PaymentRequested", "PaymentRequested", "OrderRejected"]
    assert fixture.stock() == (10, 2, 8)


def test_a_refused_event_brings_back_every_message_that_owes_it() -> None:
    fixture = OrderFixture()
    fixture.bus.refuse = 1

    assert fixture.handle(placed(), placed()) == {"m0", "m1"}


class DarkStore(MemoryStore):
    """Writes, but cannot be read."""

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        raise IncompleteReadError("throttled", {}, keys)


def test_a_cancellation_that_cannot_be_read_holds_up_no_placement() -> None:
    fixture = OrderFixture(store=DarkStore([a_stock()]))

    assert fixture.handle(placed(), cancellation()) == {"m1"}
    assert fixture.bus.names() == ["PaymentRequested"]


class BusySkuStore(MemoryStore):
    """A MemoryStore in which one SKU is busy until that is changed."""

    busy = "busy"

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = [Busy() if it.key.id == self.busy else Passed() for it in writes]
        return verdicts if Busy() in verdicts else super().transact(writes)


def test_what_is_done_is_published_before_what_is_busy_is_waited_for() -> None:
    store = BusySkuStore([a_stock("busy"), a_stock("free")])
    published: list[list[str]] = []
    telemetry, bus = RecordingTelemetry(), RecordingBus()

    def waits() -> Iterator[bool]:
        published.append(bus.names())
        store.busy = ""
        yield True

    service = OrderService(
        GroupCommit(store, waits=no_waiting(0)), bus, telemetry, clock=ManualClock(), hold=HOLD, waits=waits
    )

    retry = service.handle(deliveries(placed("order-1", sku="busy"), placed("order-2", sku="free")))

    assert retry == set()
    assert published == [["PaymentRequested"]]
    assert [event.correlation_id for event in bus.published] == ["order-2", "order-1"]


def test_what_stays_busy_goes_back_alone() -> None:
    fixture = OrderFixture(store=BusySkuStore([a_stock("busy"), a_stock("free")]))

    retry = fixture.handle(placed("order-1", sku="busy"), placed("order-2", sku="free"))

    assert retry == {"m0"}
    assert fixture.bus.names() == ["PaymentRequested"]


def test_an_order_whose_answer_was_lost_is_counted_once_as_what_it_became() -> None:
    class LossyStore(MemoryStore):
        lost = False

        def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
            verdicts = super().transact(writes)
            if not self.lost:
                self.lost = True
                raise StoreUnavailableError("the answer was lost")
            return verdicts

    fixture = OrderFixture(store=LossyStore([a_stock()]))

    fixture.handle(placed())

    assert fixture.telemetry.counted("orders_total", outcome="reserved") == 1
    assert fixture.telemetry.counted("orders_total", outcome="duplicate") == 0


def test_what_is_committed_is_counted_before_it_is_published() -> None:
    fixture = OrderFixture()

    class LastGaspBus(RecordingBus):
        def publish(self, events: Sequence[Event]) -> Collection[Event]:
            assert fixture.telemetry.flushes == 1
            return super().publish(events)

    service = OrderService(
        GroupCommit(fixture.store), LastGaspBus(), fixture.telemetry, clock=fixture.clock, hold=HOLD
    )

    assert service.handle(deliveries(placed())) == set()


def test_no_messages_are_no_work() -> None:
    fixture = OrderFixture()

    assert (fixture.handle(), fixture.expire()) == (set(), set())
    assert (fixture.store.transactions, fixture.telemetry.lines, fixture.telemetry.counts) == ([], [], {})
