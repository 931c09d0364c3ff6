"""`pulsequeue order` shows the timeline of an order, and requests cancellations and refunds."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scripts.ops.function_logs import LogEntry
from scripts.ops.orders.timeline import emitted_events, mentions
from services.shared.adapters.dynamodb_items import Unreadable, order_of
from services.shared.ledger import Key, Order, Payment, Refund, Status, Transition
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

    names = [line.split()[2] for line in ran.out.splitlines() if line.startswith("12:00:0")]
    assert ran.code == 0
    assert "\n2026-01-31     source" in ran.out
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

    assert (ran.code, ran.err) == (1, "pulsequeue: order 'nobody' not found in the environment test.\n")


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
        "pulsequeue: cannot read the row of order 'o-1' (KeyError: 'history'); correct it by hand.\n",
    )


@pytest.mark.parametrize("name", ["a#b", "", " a"])
def test_an_invalid_order_id_is_refused(pulsequeue: CommandLine, name: str) -> None:
    assert pulsequeue("order", "show", name).code == 2


def test_control_characters_do_not_reach_the_terminal(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(replace(PAID, customer_id="a\x1b[31mb"))

    assert "\x1b" not in pulsequeue("order", "show", "o-1").out


REFUND = Payment("ch-1", refunds=(Refund("r", PAID.amount_minor, "requested", id="re-1", at=LATER),))
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
    odd = PAID.moved(Status.REFUNDED, LATER, "r", payment=replace(REFUND, charge_id=""))

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


# --- show: only in a dead-letter queue ------------------------------------------------------------------


def test_an_order_that_is_only_in_a_dlq_is_shown_with_its_log_lines(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.function_logs.lines = [_log_entry("lost", event="message.rejected"), _log_entry("lost-2")]
    _add_dead_letter(ops, "lost")

    shown = pulsequeue("order", "show", "lost")
    data = pulsequeue("order", "show", "lost", "--json").json

    assert shown.code == 0
    assert "not in the orders table" in shown.out
    assert "payment DLQ" in shown.out
    assert "event=message.rejected" in shown.out
    assert "pulsequeue dlq show" in shown.out
    assert (data["orderId"], data["status"]) == ("lost", None)
    assert [line["event"] for line in data["logs"]] == ["message.rejected"]
    assert [dead_letter["messageId"] for dead_letter in data["deadLetters"]] == ["m-lost"]


def test_an_order_that_is_only_in_the_logs_is_shown(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.function_logs.lines = [_log_entry("seen", event="order.rejected")]

    assert "event=order.rejected" in pulsequeue("order", "show", "seen").out


def test_an_order_of_another_tenant_in_a_dlq_is_not_shown(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _add_dead_letter(ops, "lost", tenantId="other")

    assert pulsequeue("order", "show", "lost").code == 1
    assert pulsequeue("order", "show", "lost", "--tenant", "other").code == 0


def test_brief_looks_for_an_order_in_the_table_alone(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    _add_dead_letter(ops, "lost")

    assert pulsequeue("order", "show", "lost", "--brief").code == 1


# --- ls ----------------------------------------------------------------------------------------------


@pytest.fixture
def listed(ops: MemoryOpsContext) -> MemoryOpsContext:
    """Three orders, an hour apart, and one of another tenant."""
    orders = [
        replace(order, placed_at=START - timedelta(hours=hours), customer_id=customer)
        for order, hours, customer in (
            (an_order("o-1"), 3, "anna"),
            (an_order("o-2").moved(Status.CONFIRMED, LATER, "p", payment=Payment(charge_id="c")), 2, "bob"),
            (an_order("o-3"), 1, "anna"),
        )
    ]
    other = replace(an_order("o-9"), key=Key("other", "o-9"))
    ops.add_orders(*orders, other)
    return ops


LISTS: dict[tuple[str, ...], list[str]] = {
    (): ["o-3", "o-2", "o-1"],
    ("--status", "RESERVED"): ["o-3", "o-1"],
    ("--status", "confirmed"): ["o-2"],
    ("--status", "reserved", "--status", "confirmed"): ["o-3", "o-2", "o-1"],
    ("--customer", "anna"): ["o-3", "o-1"],
    ("--from", "150m"): ["o-3", "o-2"],
    ("--to", "90m"): ["o-2", "o-1"],
    ("--from", "150m", "--to", "90m"): ["o-2"],
    ("--limit", "1"): ["o-3"],
    ("--tenant", "other"): ["o-9"],
    ("--customer", "nobody"): [],
}


@pytest.mark.parametrize("filters", LISTS)
@pytest.mark.usefixtures("listed")
def test_the_newest_orders_that_match_every_filter_are_listed(
    pulsequeue: CommandLine, filters: tuple[str, ...]
) -> None:
    assert [order["orderId"] for order in pulsequeue("order", "ls", *filters, "--json").json] == LISTS[
        filters
    ]


@pytest.mark.usefixtures("listed")
def test_a_list_says_how_many_orders_were_left_out(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("order", "ls", "--limit", "1")

    assert "The newest 1 of 3 orders; show more with --limit." in ran.err


@pytest.mark.parametrize(
    "arguments", [("--status", "LOST"), ("--limit", "0"), ("--from", "1h", "--to", "2h"), ("--from", "x")]
)
def test_a_filter_that_makes_no_sense_is_refused(pulsequeue: CommandLine, arguments: tuple[str, ...]) -> None:
    assert pulsequeue("order", "ls", *arguments).code == 2


def test_a_row_that_cannot_be_read_is_named_after_the_list(
    pulsequeue: CommandLine, listed: MemoryOpsContext
) -> None:
    listed.store.unreadable_orders = [Unreadable(Key("default", "bad"), "no status")]

    ran = pulsequeue("order", "ls")

    assert ran.code == 1
    assert "o-3" in ran.out
    assert "cannot read these rows: default#bad" in ran.err


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


def test_watching_an_unknown_order_says_so_at_once_and_gives_up_soon(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ran = pulsequeue("order", "watch", "o-1")

    first, last = ran.err.splitlines()
    assert ran.code == 1
    assert first == (
        "Order 'o-1' is not in the environment test yet; looking in logs and dead-letter queues ..."
    )
    assert last == ("pulsequeue: order 'o-1' not found in the environment test, its logs and dead letters.")
    assert ops.time.now == START + timedelta(seconds=3)


def test_watching_an_order_that_only_logs_know_waits_longer(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.function_logs.lines = [_log_entry()]

    ran = pulsequeue("order", "watch", "o-1")

    assert ran.code == 1
    assert ran.err.endswith("not found in the environment test; see `pulsequeue order show o-1`.\n")
    assert ops.time.now == START + timedelta(seconds=10)


def test_watching_an_order_that_is_only_a_dead_letter_ends_at_once(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    _add_dead_letter(ops, "o-1")

    ran = pulsequeue("order", "watch", "o-1")

    assert ran.code == 1
    assert ran.err.endswith(
        "order 'o-1' is only in the dead-letter queue of payment; see `pulsequeue order show o-1`.\n"
    )
    assert ops.time.now == START


def test_watching_an_order_that_arrives_in_time_goes_on(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.while_asleep = [an_order(), PAID]

    ran = pulsequeue("order", "watch", "o-1")

    assert ran.code == 0
    assert [line.split()[1] for line in ran.err.splitlines()[1:]] == ["RESERVED", "CONFIRMED"]


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
PARTLY = PAID.moved(
    Status.CONFIRMED,
    LATER,
    "r",
    payment=Payment("ch-1", refunds=(Refund("r", 500, "arrived broken", id="re-1", at=LATER),)),
)


def test_a_part_of_a_payment_is_refunded(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(PARTLY)
    left = PAID.amount_minor - 500

    refused = pulsequeue("order", "refund", "o-1", "--amount-minor", str(left + 1))
    requested = pulsequeue("order", "refund", "o-1", "--amount-minor", str(left))

    assert (refused.code, requested.code) == (1, 0)
    assert "are left to refund of order 'o-1'" in refused.err
    assert [f'"amountMinor":{left}' in event.wire() for event in ops.bus.published] == [True]


def test_every_refund_of_an_order_is_shown(pulsequeue: CommandLine, ops: MemoryOpsContext) -> None:
    ops.add_orders(PARTLY)

    shown = pulsequeue("order", "show", "o-1", "--brief").out
    view = pulsequeue("order", "show", "o-1", "--brief", "--json").json

    assert "refunded:       5.00 USD" in shown
    assert "re-1 · 5.00 USD · arrived broken" in shown
    assert view["payment"]["refundedMinor"] == 500
    assert [refund["refundId"] for refund in view["payment"]["refunds"]] == ["re-1"]


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


def test_a_paid_order_that_may_have_left_is_not_cancelled(
    pulsequeue: CommandLine, ops: MemoryOpsContext
) -> None:
    ops.add_orders(replace(PAID, cancellable_until=ops.clock.now() - timedelta(seconds=1)))

    ran = pulsequeue("order", "cancel", "o-1")

    assert ran.code == 1
    assert "use `pulsequeue order refund o-1`" in ran.err
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
