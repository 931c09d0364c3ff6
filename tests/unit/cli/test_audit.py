"""`pulsequeue audit` reports inconsistencies, and has the services repair what they can."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.shared.adapters.dynamodb_items import Unreadable, readable, stock_item, stock_of
from services.shared.ledger import Key, Order, Payment, Status, Stock
from tests.support.fakes import START, a_stock
from tests.support.ops_context import MemoryOpsContext, an_order
from tests.unit.conftest import CommandLine

HELD = Key("default", "prod-001")


def _store(ops: MemoryOpsContext, *orders: Order) -> None:
    """Store orders, and the stock of prod-001 that the open ones reserve."""
    ops.add_orders(*orders)
    held = sum(order.lines[0].quantity for order in orders if order.status is Status.RESERVED)
    ops.store.stock[HELD] = replace(a_stock(stock=10), reserved=held, available=10 - held)


def _sent_to(ops: MemoryOpsContext, function: str) -> list[str]:
    return [json.loads(body)["detail"]["orderId"] for body in ops.work_queues[function].bodies]


def test_consistent_tables_are_reported_in_one_line(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _store(ops, an_order("o-1"))

    ran = pulsequeue("audit")

    assert (ran.code, ran.out) == (0, "Checked 1 orders (1 open) and 2 SKUs: everything is consistent.\n")


def test_a_finding_fails_the_command_and_names_what_it_is_about(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.store.stock[HELD] = replace(a_stock(stock=10), reserved=3, available=7)

    ran = pulsequeue("audit", "--json")

    assert ran.code == 1
    assert ran.json["findings"] == [
        {
            "kind": "reserved",
            "tenantId": "default",
            "about": "prod-001",
            "message": "3 reserved, open orders hold 0",
        }
    ]
    assert "1 finding." in ran.err


def test_a_row_that_cannot_be_read_is_a_finding_and_does_not_end_the_audit(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.store.unreadable_orders = [Unreadable(Key("default", "o-9"), "KeyError: 'status'")]
    _store(ops, an_order("o-1"))

    ran = pulsequeue("audit", "--repair", "--json")

    assert ran.code == 1
    assert [(found["kind"], found["about"]) for found in ran.json["findings"]] == [("unreadable", "o-9")]
    assert ran.json["orders"] == 1


UNREADABLE_ROWS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a number is missing": lambda item: {name: item[name] for name in item if name != "stock"},
    "a number is a text": lambda item: item | {"stock": {"N": "many"}},
    "a text is a number": lambda item: item | {"currency": {"N": "1"}},
    "a map is a text": lambda item: item | {"reserved": "nonsense"},
}


@pytest.mark.parametrize("how", UNREADABLE_ROWS)
def test_unreadable_rows_do_not_hide_the_others(how: str) -> None:
    good = a_stock("good")
    reported: list[Unreadable] = []

    def rows() -> Iterator[dict[str, Any]]:
        yield UNREADABLE_ROWS[how](stock_item(a_stock("bad")))
        yield stock_item(good)

    stocks: list[Stock] = list(readable(stock_of, rows(), reported.append))

    assert stocks == [good]
    assert [row.key for row in reported] == [Key("default", "bad")]


def test_an_unreadable_row_fails_a_scan_that_does_not_handle_it() -> None:
    with pytest.raises(KeyError):
        list(readable(stock_of, [{"pk": {"S": "default#bad"}}], None))


# --- repair ------------------------------------------------------------------------------------------


def test_without_repair_nothing_is_sent_anywhere(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _store(ops, an_order("o-late"))
    ops.time.advance(timedelta(hours=1))

    pulsequeue("audit")

    assert ops.bus.published == []
    assert [queue.bodies for queue in ops.work_queues.values()] == [[]] * len(ops.work_queues)
    assert ops.operations_log.lines == []


def test_an_overdue_reservation_is_sent_to_the_expiry_alone(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _store(ops, an_order("o-late"))
    ops.time.advance(timedelta(hours=1))

    ran = pulsequeue("audit", "--repair", "--json")

    assert _sent_to(ops, "expiry") == ["o-late"]
    assert ops.work_queues["payment"].bodies == []
    assert ops.bus.published == []
    assert ran.json["repaired"] == {"toRelease": 1, "toFinish": 0, "toLookUp": 0, "failed": 0}
    assert ops.operations_log.actions() == ["audit repair"]


def test_the_payment_of_an_open_reservation_is_requested_again_under_the_same_event_id(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _store(ops, an_order("o-open"))

    for _ in range(2):
        ops.time.advance(timedelta(minutes=2))
        pulsequeue("audit", "--repair")

    assert ops.bus.names() == ["PaymentRequested"] * 2
    assert len({event.event_id for event in ops.bus.published}) == 1


def test_a_reservation_that_was_just_made_is_left_alone(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _store(ops, an_order("o-new"))
    ops.time.advance(timedelta(seconds=59))

    pulsequeue("audit", "--repair")

    assert ops.bus.published == []


@pytest.mark.parametrize("reason", ["reservation_expired", "customer_request"])
def test_a_charge_is_looked_up_for_an_order_cancelled_unpaid(
    pulsequeue: CommandLine, ops: MemoryOpsContext, reason: str
) -> None:
    _store(ops, an_order("o-cancelled").moved(Status.CANCELLED, START, "e", reason=reason))
    ops.time.advance(timedelta(hours=23))

    ran = pulsequeue("audit", "--repair", "--json")

    assert _sent_to(ops, "payment") == ["o-cancelled"]
    assert ops.work_queues["expiry"].bodies == []
    assert (ran.code, ran.json["repaired"]["toLookUp"]) == (0, 1)


WITHOUT_A_LOOKUP = {
    "cancelled long ago": an_order("o").moved(
        Status.CANCELLED, START - timedelta(days=1), "e", reason="customer_request"
    ),
    "declined": an_order("o").moved(
        Status.CANCELLED, START, "e", reason="payment_failed", payment=Payment(declined="card_declined")
    ),
    "paid": an_order("o").moved(Status.CONFIRMED, START, "e", payment=Payment(charge_id="ch")),
    "free": an_order("o", price=0).moved(Status.CANCELLED, START, "e", reason="customer_request"),
}


@pytest.mark.parametrize("which", WITHOUT_A_LOOKUP)
def test_an_order_that_can_hide_no_charge_is_not_looked_up(
    pulsequeue: CommandLine, ops: MemoryOpsContext, which: str
) -> None:
    _store(ops, WITHOUT_A_LOOKUP[which])

    pulsequeue("audit", "--repair")

    assert ops.work_queues["payment"].bodies == []


def test_an_inconsistent_order_is_left_to_a_person(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _store(ops, replace(an_order("o-odd"), history=()))
    ops.time.advance(timedelta(hours=1))

    ran = pulsequeue("audit", "--repair", "--json")

    assert {found["kind"] for found in ran.json["findings"]} == {"overdue", "shape"}
    assert ran.json["repaired"]["toRelease"] == 0


def test_a_repair_that_could_not_be_sent_fails_the_command(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _store(ops, an_order("o-open"))
    ops.time.advance(timedelta(minutes=2))
    ops.bus.refuse = 1

    ran = pulsequeue("audit", "--repair")

    assert ran.code == 1
    assert "1 repairs could not be sent; run the command again." in ran.err


def _published(ops: MemoryOpsContext) -> dict[str, float]:
    ((levels, at),) = ops.gauges.published
    assert at == ops.time.now
    return dict(levels)


def test_consistent_tables_are_published_as_zeros(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _store(ops, an_order("o-1"))

    pulsequeue("audit")

    assert _published(ops) == {
        "audit_reserved_drift_units": 0,
        "audit_overdue_reservations": 0,
        "audit_unconfirmed_charges": 0,
        "audit_long_held_units": 0,
        "audit_finished_timestamp_seconds": START.timestamp(),
    }


def test_the_size_of_the_drift_is_published(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    charged = replace(an_order("o-charged"), payment=Payment(charge_id="ch"))
    _store(ops, an_order("o-late"), charged)
    ops.store.stock[HELD] = replace(ops.store.stock[HELD], reserved=1, available=9)
    other = Key("default", "prod-002")
    ops.store.stock[other] = replace(ops.store.stock[other], reserved=2, available=3)
    ops.add_orders(an_order("o-ghost", sku="ghost", quantity=4))
    ops.time.advance(timedelta(hours=1))

    ran = pulsequeue("audit")

    assert ran.code == 1
    levels = _published(ops)
    # prod-001 lacks 3 that orders reserve, prod-002 has 2 that no order reserves, the ghost SKU lacks 4
    assert levels["audit_reserved_drift_units"] == 3 + 2 + 4
    assert levels["audit_overdue_reservations"] == 3
    assert levels["audit_unconfirmed_charges"] == 1


def test_no_publish_publishes_nothing(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _store(ops, an_order("o-1"))

    ran = pulsequeue("audit", "--no-publish")

    assert ran.code == 0
    assert ops.gauges.published == []
