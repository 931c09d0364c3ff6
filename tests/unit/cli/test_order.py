"""`pulsequeue order` shows the timeline of an order, and requests cancellations and refunds."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scripts.ops.function_logs import LogEntry
from scripts.ops.orders.timeline import emitted_events, mentions
from services.shared.adapters.dynamodb_items import order_of
from services.shared.ledger import Key, Order, Payment, Status, Transition
from tests.support.fakes import START
from tests.support.ops_context import MemoryOpsContext, MemoryOpsStore, an_order
from tests.unit.conftest import CommandLine

LATER = START + timedelta(seconds=2)
PAID = an_order().moved(Status.CONFIRMED, LATER, "paid", payment=Payment(charge_id="ch-1"))


def _log_entry(order_id: str = "o-1", *, at: datetime = LATER, **fields: Any) -> LogEntry:  # noqa: ANN401 - log fields
    fields = {"level": "INFO", "order_id": order_id, "tenant_id": "default", **fields}
    return LogEntry(at, "payment", "order confirmed", fields)


def _add_dead_letter(ops: MemoryOpsContext, order_id: str, **more: str) -> None:
    detail = ", ".join(f'"{name}": "{value}"' for name, value in {"orderId": order_id, **more}.items())
    body = f'{{"detail-type": "RefundRequested", "detail": {{{detail}}}}}'
    ops.dlqs["payment"].add(f"m-{order_id}", body, sent_at=LATER)


# --- show --------------------------------------------------------------------------------------------


def test_an_order_is_shown_with_every_step_and_event_in_the_order_of_time(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(PAID)
    ops.function_logs.lines = [_log_entry(at=START + timedelta(seconds=1))]

    ran = pulsequeue("order", "show", "o-1")

    names = [line.split()[3] for line in ran.out.splitlines() if line.startswith("2026-01-31 12:00:0")]
    assert ran.code == 0
    assert names == [
        *("RESERVED", "PaymentRequested", "order"),
        *("CONFIRMED", "PaymentProcessed", "OrderConfirmed"),
    ]


def test_json_holds_the_steps_events_logs_traces_and_dead_letters(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(PAID)
    ops.function_logs.lines = [_log_entry(xray_trace_id="1-a"), _log_entry(xray_trace_id="1-a")]
    _add_dead_letter(ops, "o-1")

    shown = pulsequeue("order", "show", "o-1", "--json").json

    assert [step["status"] for step in shown["timeline"]] == ["RESERVED", "CONFIRMED"]
    assert [step["eventId"] for step in shown["timeline"]] == ["placed-o-1", "paid"]
    assert [event["event"] for event in shown["events"]] == [
        *("PaymentRequested", "PaymentProcessed", "OrderConfirmed"),
    ]
    assert [line["message"] for line in shown["logs"]] == ["order confirmed"] * 2
    assert shown["traceIds"] == ["1-a"]
    assert [dead_letter["messageId"] for dead_letter in shown["deadLetters"]] == ["m-o-1"]


def test_other_orders_are_not_shown(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(PAID)
    ops.function_logs.lines = [_log_entry("o-10"), _log_entry("o-1", tenant_id="other")]
    _add_dead_letter(ops, "o-10")
    _add_dead_letter(ops, "o-1", tenantId="other")

    shown = pulsequeue("order", "show", "o-1", "--json").json

    assert shown["logs"] == []
    assert shown["deadLetters"] == []


def test_dead_letters_stay_in_their_queue(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(PAID)
    _add_dead_letter(ops, "o-1")

    pulsequeue("order", "show", "o-1")

    assert [dead_letter.message_id for dead_letter in ops.dlqs["payment"].visible] == ["m-o-1"]


def test_logs_are_read_no_further_back_than_their_retention(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(PAID)
    ops.function_logs.lines = [_log_entry()]
    ops.time.advance(timedelta(days=400))

    assert pulsequeue("order", "show", "o-1", "--json").json["logs"] == []


def test_brief_reads_the_orders_table_alone(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(PAID)
    ops.function_logs.lines = [_log_entry()]

    ran = pulsequeue("order", "show", "o-1", "--brief", "--json")

    assert "logs" not in ran.json
    assert ran.json["payment"] == {"chargeId": "ch-1"}


def test_an_inconsistent_order_is_still_shown(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(replace(PAID, history=()))

    shown = pulsequeue("order", "show", "o-1", "--json")

    assert (shown.code, shown.json["events"]) == (0, [])


def test_an_unknown_order_is_one_sentence(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("order", "show", "nobody")

    assert (ran.code, ran.err) == (1, "pulsequeue: order 'nobody' not found in test.\n")


def test_an_order_whose_row_cannot_be_read_is_one_sentence(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    class UnreadableStore(MemoryOpsStore):
        def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
            return {key: order_of({"pk": {"S": key.pk}}) for key in keys}

    ops.store = UnreadableStore()

    ran = pulsequeue("order", "show", "o-1")

    assert (ran.code, ran.err) == (
        1,
        "pulsequeue: cannot read the row of order 'o-1' (KeyError: 'status'); correct it by hand.\n",
    )


@pytest.mark.parametrize("name", ["a#b", "", " a"])
def test_an_invalid_order_id_is_refused(pulsequeue: CommandLine, name: str) -> None:
    assert pulsequeue("order", "show", name).code == 2


def test_control_characters_do_not_reach_the_terminal(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(replace(PAID, customer_id="a\x1b[31mb"))

    assert "\x1b" not in pulsequeue("order", "show", "o-1").out


REFUND = Payment(charge_id="ch-1", refund_id="re-1", refund_reason="requested")
HISTORIES: dict[str, tuple[Order, list[str]]] = {
    "reserved": (an_order(), ["PaymentRequested"]),
    "paid": (PAID, ["PaymentRequested", "PaymentProcessed", "OrderConfirmed"]),
    "refunded": (
        PAID.moved(Status.REFUNDED, LATER, "r", payment=REFUND),
        ["PaymentRequested", "PaymentProcessed", "OrderConfirmed", "RefundProcessed"],
    ),
    "declined": (
        an_order().moved(
            Status.CANCELLED, LATER, "e", reason="payment_failed", payment=Payment(declined="no")
        ),
        ["PaymentRequested", "PaymentFailed", "OrderCancelled"],
    ),
    "expired": (
        an_order().moved(Status.CANCELLED, LATER, "e", reason="reservation_expired"),
        ["PaymentRequested", "OrderCancelled"],
    ),
    "charged too late": (
        an_order()
        .moved(Status.CANCELLED, LATER, "e", reason="reservation_expired")
        .moved(Status.CANCELLED, LATER, "f", payment=REFUND),
        ["PaymentRequested", "OrderCancelled", "PaymentProcessed", "RefundProcessed"],
    ),
    "rejected": (
        replace(
            an_order(),
            status=Status.REJECTED,
            reason="out_of_stock",
            expires_at=None,
            history=(Transition(Status.REJECTED, START, "e"),),
        ),
        ["OrderRejected"],
    ),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_the_events_of_an_order_follow_from_the_order(history: str) -> None:
    order, names = HISTORIES[history]

    events = emitted_events(order)

    assert [event.detail_type() for event in events] == names
    assert [event.event_id for event in emitted_events(order)] == [event.event_id for event in events]


def test_a_payment_that_no_service_wrote_hides_only_its_own_events() -> None:
    odd = PAID.moved(Status.REFUNDED, LATER, "r", payment=Payment(charge_id="ch-1", refund_id="re-1"))

    assert [event.detail_type() for event in emitted_events(odd)] == ["PaymentRequested"]


MENTIONS = {
    "o-1": True,
    "order o-1.": False,
    "no order o-1 yet": True,
    "(o-1)": True,
    "o-10": False,
    "foo-1": False,
    "o-1-2": False,
}


@pytest.mark.parametrize("text", MENTIONS)
def test_an_id_within_another_is_no_mention(text: str) -> None:
    assert mentions(LogEntry(START, "order", text, {}), Key("default", "o-1")) == MENTIONS[text]


# --- watch -------------------------------------------------------------------------------------------


def test_watching_shows_each_step_until_the_order_is_settled(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(an_order())
    ops.while_asleep = [an_order(), PAID]

    ran = pulsequeue("order", "watch", "o-1")

    assert ran.code == 0
    assert [line.split()[1] for line in ran.err.splitlines()] == ["RESERVED", "CONFIRMED"]
    assert "ch-1" in ran.out


def test_watching_an_order_that_is_not_settled_times_out(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(an_order())

    ran = pulsequeue("order", "watch", "o-1", "--timeout", "7")

    assert ran.code == 1
    assert "timed out after 7 s; order 'o-1' is still RESERVED." in ran.err
    assert ops.time.now == START + timedelta(seconds=7)


def test_watching_an_unknown_order_times_out(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("order", "watch", "o-1", "--timeout", "3")

    assert (ran.code, ran.err) == (1, "pulsequeue: timed out after 3 s; order 'o-1' not found.\n")


# --- cancel, refund ----------------------------------------------------------------------------------


def test_a_cancellation_is_requested_on_the_bus(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(an_order())

    ran = pulsequeue("order", "cancel", "o-1", "--reason", "changed their mind")

    assert (ran.code, ran.out) == (0, "OrderCancellationRequested published for o-1.\n")
    assert ops.bus.names() == ["OrderCancellationRequested"]
    assert '"reason":"changed their mind"' in ops.bus.published[0].wire()


@pytest.mark.parametrize(("flags", "restock"), [((), "false"), (("--restock",), "true")])
def test_a_refund_is_requested_with_or_without_restock(
    pulsequeue: CommandLine, ops: MemoryOpsContext, flags: tuple[str, ...], restock: str
) -> None:
    ops.add_orders(PAID)

    pulsequeue("order", "refund", "o-1", *flags)

    assert ops.bus.names() == ["RefundRequested"]
    assert f'"restock":{restock}' in ops.bus.published[0].wire()


REFUNDED = replace(PAID, status=Status.REFUNDED)


@pytest.mark.parametrize(
    ("command", "order", "why"),
    [
        ("cancel", REFUNDED, "is REFUNDED; only RESERVED and CONFIRMED orders can be cancelled"),
        ("refund", an_order(), "is RESERVED; only CONFIRMED orders can be refunded"),
        ("refund", REFUNDED, "is REFUNDED; only CONFIRMED orders can be refunded"),
    ],
)
def test_a_request_that_the_status_forbids_is_refused(
    pulsequeue: CommandLine, ops: MemoryOpsContext, command: str, order: Order, why: str
) -> None:
    ops.add_orders(order)

    ran = pulsequeue("order", command, "o-1")

    assert ran.code == 1
    assert why in ran.err
    assert ops.bus.published == []


def test_a_paid_order_counts_as_cancelled_once_it_is_refunded(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(PAID)
    refunded = PAID.moved(Status.REFUNDED, LATER, "r", payment=REFUND)
    ops.while_asleep = [PAID, refunded]

    ran = pulsequeue("order", "cancel", "o-1", "--wait", "--json")

    assert (ran.code, ran.json["status"]) == (0, "REFUNDED")


def test_a_request_that_the_bus_does_not_accept_fails_the_command(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(PAID)
    ops.bus.refuse = 1

    ran = pulsequeue("order", "refund", "o-1")

    assert ran.code == 1
    assert "the bus did not accept RefundRequested for order 'o-1'" in ran.err
