"""The hourly audit finds what differs, and releases what nothing else released."""

from dataclasses import replace
from datetime import timedelta

from services.order.audit import Audit
from services.order.service import OrderService
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Key, Order, Status
from services.shared.log_events import LogEvent
from services.shared.metric_names import Metric
from tests.support.builders import HOLD, no_waiting, reserved
from tests.support.fakes import START, RecordingBus, RecordingTelemetry, a_stock
from tests.support.ops_context import MemoryOpsContext

SKU = Key("default", "prod-001")


class AuditFixture:
    """An audit over tables in memory, with the expiry that it hands overdue reservations to."""

    def __init__(self, *orders: Order, held: int | None = None) -> None:
        units = held if held is not None else sum(line.quantity for order in orders for line in order.lines)
        self.ops = MemoryOpsContext([replace(a_stock(stock=10), reserved=units, available=10 - units)])
        self.ops.add_orders(*orders)
        self.ops.store.stock[SKU] = replace(a_stock(stock=10), reserved=units, available=10 - units)
        self.bus, self.telemetry = RecordingBus(), RecordingTelemetry()
        expiry = OrderService(
            GroupCommit(self.ops.store, waits=no_waiting()),
            self.bus,
            self.telemetry,
            clock=self.ops.clock.now,
            hold=HOLD,
        )
        self.audit = Audit(self.ops.store, self.bus, expiry.expire, self.telemetry, self.ops.clock)

    def status(self, order: Order) -> tuple[Status, str | None]:
        current = self.ops.store.orders[order.key]
        return current.status, current.reason


def test_a_reservation_that_nothing_released_is_released_with_its_event() -> None:
    order = reserved()
    fixture = AuditFixture(order)
    fixture.ops.time.advance(HOLD + timedelta(hours=1))

    summary = fixture.audit.run()

    assert fixture.status(order) == (Status.CANCELLED, "reservation_expired")
    assert fixture.ops.store.stock[SKU] == a_stock(stock=10)
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled"]
    assert summary == {"orders": 1, "open": 1, "skus": 1, "found": 1, "released": 1}
    assert fixture.telemetry.counted(Metric.ORDERS, outcome="expired") == 1


def test_a_reservation_that_is_not_overdue_stays() -> None:
    order = reserved()
    fixture = AuditFixture(order)
    fixture.ops.time.advance(HOLD + timedelta(minutes=1))

    assert fixture.audit.run()["released"] == 0
    assert fixture.status(order) == (Status.RESERVED, None)


def test_an_order_that_contradicts_itself_is_left_to_a_person() -> None:
    order = replace(reserved(), amount_minor=1)
    fixture = AuditFixture(order)
    fixture.ops.time.advance(HOLD + timedelta(hours=1))

    summary = fixture.audit.run()

    assert (summary["found"], summary["released"]) == (2, 0)
    assert fixture.status(order) == (Status.RESERVED, None)


def test_an_order_whose_expiry_message_is_refused_waits_for_the_next_audit() -> None:
    order = reserved()
    fixture = AuditFixture(order)
    fixture.ops.time.advance(HOLD + timedelta(hours=1))
    fixture.bus.refuse = 1

    assert fixture.audit.run()["released"] == 0
    assert fixture.status(order) == (Status.RESERVED, None)

    assert fixture.audit.run()["released"] == 1
    assert fixture.bus.names() == ["PaymentRequested", "OrderCancelled"]


def test_more_overdue_reservations_than_one_read_holds_are_all_released() -> None:
    orders = [reserved(f"order-{n}", {f"sku-{n % 3}": 1}) for n in range(205)]
    fixture = AuditFixture(*orders, held=0)
    for n in range(3):
        held = sum(line.quantity for order in orders for line in order.lines if line.sku == f"sku-{n}")
        key = Key("default", f"sku-{n}")
        fixture.ops.store.stock[key] = replace(a_stock(f"sku-{n}", 300), reserved=held, available=300 - held)
    fixture.ops.time.advance(HOLD + timedelta(hours=1))

    assert fixture.audit.run()["released"] == 205
    assert {stock.reserved for stock in fixture.ops.store.stock.values()} == {0}


def test_the_result_is_told_as_gauges_and_log_lines() -> None:
    fixture = AuditFixture(held=3)

    fixture.audit.run()

    assert fixture.telemetry.gauges == {
        Metric.AUDIT_DRIFT: 3,
        Metric.AUDIT_OVERDUE: 0,
        Metric.AUDIT_UNCONFIRMED: 0,
        Metric.AUDIT_HELD_LONG: 0,
        Metric.AUDIT_FINISHED: fixture.ops.clock.now().timestamp(),
    }
    logged = [(event, key) for event, key, _ in fixture.telemetry.lines]
    assert logged == [(LogEvent.AUDIT_FOUND, SKU), (LogEvent.AUDIT_FINISHED, None)]
    assert fixture.ops.clock.now() > START
