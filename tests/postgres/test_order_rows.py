"""What is known of an order follows from the set of its events, whichever of them are there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.analytics.db.tables import FulfillmentRow, ItemRow, OrderRow, PaymentRow
from services.analytics.model.orders import Subject, order_rows, product_row, subject_of
from services.shared.events import CATALOGUE, Event
from tests.postgres.events import NOON, TENANT, Contract, Shop, adjusted, at

LATER = NOON + timedelta(hours=1)
LATEST = NOON + timedelta(hours=2)

order = Shop()

PATHS: Sequence[tuple[str, list[Event]]] = [
    ("PLACED", [order.placed()]),
    ("PLACED", [order.processed()]),
    ("PLACED", [order.failed()]),
    ("PLACED", [order.cancellation_requested()]),
    ("PLACED", [order.refunded()]),
    ("RESERVED", [order.requested()]),
    ("RESERVED", [order.placed(), order.requested(), order.processed()]),
    ("RESERVED", [order.requested(), order.processed(), order.refunded()]),
    ("CONFIRMED", [order.confirmed()]),
    ("CONFIRMED", [*order.sold(), order.refund_requested()]),
    ("REFUNDED", [*order.sold(), order.refunded()]),
    ("REFUNDED", [order.confirmed(), order.refunded()]),
    ("REJECTED", [order.placed(), order.rejected()]),
    ("CANCELLED", [order.placed(), order.requested(), order.failed(), order.cancelled()]),
    ("CANCELLED", [order.placed(), order.cancellation_requested(), order.cancelled()]),
    ("CANCELLED", [order.requested(), order.cancelled(), order.processed(), order.refunded()]),
]


@pytest.mark.parametrize(("status", "events"), PATHS)
def test_the_status_follows_from_what_was_heard(status: str, events: list[Event]) -> None:
    assert order_rows(events).order.status == status


def test_in_whatever_order_events_come_the_rows_are_the_same() -> None:
    events = [order.placed(), order.requested(LATER), order.confirmed(LATEST), order.refunded(LATEST)]

    rows = {order_rows(arrived) for arrived in permutations(events)}

    assert len(rows) == 1


def test_an_order_that_went_well_says_everything_about_itself() -> None:
    placed = order.placed(region="EU", channel="web", payment_method="card")

    rows = order_rows([placed, order.requested(LATER), order.processed(LATEST), order.confirmed(LATEST)])

    assert rows.order == OrderRow(
        tenant_id=TENANT,
        order_id="order-1",
        customer_id="ann",
        status="CONFIRMED",
        reason=None,
        region="EU",
        channel="web",
        payment_method="card",
        amount_minor=1_000,
        currency="USD",
        units=2,
        placed_at=NOON,
        reserved_at=LATER,
        confirmed_at=LATEST,
        ended_at=None,
        version=4,
    )
    assert rows.items == (ItemRow(TENANT, "order-1", "cup", 2, 500, 1_000),)
    assert rows.payment == PaymentRow(
        tenant_id=TENANT,
        order_id="order-1",
        status="SUCCEEDED",
        amount_minor=1_000,
        currency="USD",
        charge_id="ch-1",
        reason=None,
        refund_id=None,
        refunded_minor=0,
        requested_at=LATER,
        answered_at=LATEST,
        refunded_at=None,
        version=4,
    )
    assert rows.fulfillment == FulfillmentRow(TENANT, "order-1", "DUE", 2, LATEST, None, 4)


def test_a_late_charge_that_is_given_back_leaves_its_order_cancelled_and_its_payment_refunded() -> None:
    rows = order_rows(
        [order.requested(), order.cancelled(LATER), order.processed(LATEST), order.refunded(LATEST)]
    )

    assert (rows.order.status, rows.order.reason, rows.order.ended_at) == (
        "CANCELLED",
        "reservation_expired",
        LATER,
    )
    assert rows.payment is not None
    assert (rows.payment.status, rows.payment.refunded_minor, rows.payment.refunded_at) == (
        "REFUNDED",
        1_000,
        LATEST,
    )
    assert rows.fulfillment is None


def test_a_charge_is_known_even_if_nothing_else_of_its_order_is() -> None:
    rows = order_rows([order.processed(LATER)])

    assert (rows.order.customer_id, rows.order.amount_minor, rows.order.placed_at) == (None, 1_000, LATER)
    assert rows.items == ()
    assert rows.payment is not None
    assert (rows.payment.status, rows.payment.requested_at, rows.payment.answered_at) == (
        "SUCCEEDED",
        None,
        LATER,
    )


@pytest.mark.parametrize(
    ("later", "first_id", "second_id"), [(LATER, "z", "a"), (NOON, "a", "b")], ids=["by time", "by id"]
)
def test_of_two_placements_the_first_tells_by_time_and_then_by_id(
    later: datetime, first_id: str, second_id: str
) -> None:
    with_region = Shop(lines=[("cup", 1, 500)]).placed(NOON, event_id=first_id, region="EU")
    silent = Shop(lines=[("mug", 9, 500)]).placed(later, event_id=second_id, region="US")

    for events in ([with_region, silent], [silent, with_region]):
        rows = order_rows(events)
        assert (rows.order.region, rows.order.placed_at, rows.order.version) == ("EU", NOON, 2)
        assert [item.sku for item in rows.items] == ["cup"]


def test_an_order_was_placed_when_its_placement_says_so_and_else_when_it_is_first_heard_of() -> None:
    stated, happened = at("2026-01-01"), at("2026-01-02")
    requested = order.requested(LATEST, placed_at=at("2026-01-03"))

    def placed_at(*events: Event) -> object:
        return order_rows(events).order.placed_at

    assert placed_at(order.placed(happened, placed_at=stated), requested) == stated
    assert placed_at(order.placed(happened), requested) == happened
    assert placed_at(requested, order.processed(NOON)) == at("2026-01-03")
    assert placed_at(order.confirmed(LATEST), order.processed(LATER)) == LATER


def test_two_prices_of_one_sku_add_up_to_the_exact_total_and_to_no_unit_price() -> None:
    lines = [("cup", 1, 500), ("cup", 2, 333), ("mug", 1, 70), ("cup", 1, 500)]

    rows = order_rows([Shop(lines=lines).confirmed()])

    assert rows.items == (
        ItemRow(TENANT, "order-1", "cup", 4, None, 1_666),
        ItemRow(TENANT, "order-1", "mug", 1, 70, 70),
    )


def test_the_lines_of_a_sku_are_added_up_and_told_by_who_knows_the_prices() -> None:
    lines = [("cup", 1, 500), ("mug", 3, 700), ("cup", 2, 500)]
    placed = Shop(lines=lines).placed()
    priced = Shop(lines=lines).requested()
    taken = Shop(lines=[("cup", 1, 400)]).confirmed()

    assert order_rows([placed]).items == (
        ItemRow(TENANT, "order-1", "cup", 3, None, None),
        ItemRow(TENANT, "order-1", "mug", 3, None, None),
    )
    assert order_rows([placed, priced]).items == (
        ItemRow(TENANT, "order-1", "cup", 3, 500, 1_500),
        ItemRow(TENANT, "order-1", "mug", 3, 700, 2_100),
    )
    assert order_rows([placed, priced, taken]).items == (ItemRow(TENANT, "order-1", "cup", 1, 400, 400),)
    assert order_rows([placed, priced]).order.units == 6
    assert order_rows([placed, priced, taken]).order.units == 1


def test_the_customer_is_named_by_whoever_came_furthest() -> None:
    events: list[Event] = [
        order.processed(),
        order.cancelled(customer_id="e"),
        order.rejected(customer_id="d"),
        order.placed(customer_id="c"),
        order.requested(customer_id="b"),
        order.confirmed(customer_id="a"),
    ]

    named = [order_rows(events[: count + 1]).order.customer_id for count in range(len(events))]

    assert named == [None, "e", "d", "c", "b", "a"]


@pytest.mark.parametrize(
    ("status", "amount", "reason", "events"),
    [
        ("REQUESTED", 1_000, None, [order.requested()]),
        ("FAILED", 1_000, "card_declined", [order.requested(), order.failed()]),
        ("SUCCEEDED", 1_000, None, [order.failed(), order.processed()]),
        ("REFUNDED", 1_000, "requested", [order.refunded()]),
        ("SUCCEEDED", 900, None, [order.requested(), order.processed(amount_minor=900)]),
    ],
)
def test_the_payment_follows_from_what_was_heard_of_it(
    status: str, amount: int, reason: str | None, events: list[Event]
) -> None:
    payment = order_rows(events).payment

    assert payment is not None
    assert (payment.status, payment.amount_minor, payment.reason) == (status, amount, reason)


def test_an_order_of_which_no_payment_was_heard_has_none() -> None:
    assert order_rows([order.placed(), order.rejected()]).payment is None


@pytest.mark.parametrize(("restocked", "status"), [(True, "RETURNED"), (False, "CALLED_OFF")])
def test_what_was_to_be_sent_comes_back_or_is_called_off_with_a_refund(restocked: bool, status: str) -> None:
    rows = order_rows([order.confirmed(NOON), order.refunded(LATER, restocked=restocked)])

    assert rows.fulfillment == FulfillmentRow(TENANT, "order-1", status, 2, NOON, LATER, 2)
    assert (rows.order.reason, rows.order.ended_at) == ("requested", LATER)


def test_refunds_add_up_and_the_order_is_refunded_when_nothing_is_left() -> None:
    first = order.refunded(LATER, event_id="r-1", refund_id="re-1", amount_minor=300)
    rest = order.refunded(LATEST, event_id="r-2", refund_id="re-2", amount_minor=700)
    again = order.refunded(LATEST, event_id="r-3", refund_id="re-1", amount_minor=300)

    part = order_rows([*order.sold(), first, again])
    whole = order_rows([rest, *order.sold(), again, first])

    assert (part.order.status, part.order.ended_at) == ("CONFIRMED", None)
    assert part.payment is not None
    assert part.fulfillment is not None
    assert (part.payment.status, part.payment.refunded_minor) == ("SUCCEEDED", 300)
    assert part.fulfillment.status == "DUE"
    assert (whole.order.status, whole.order.ended_at) == ("REFUNDED", LATEST)
    assert whole.payment is not None
    assert whole.fulfillment is not None
    assert (whole.payment.status, whole.payment.refunded_minor) == ("REFUNDED", 1_000)
    assert whole.fulfillment.status == "CALLED_OFF"


def test_a_subscription_is_about_its_customer_an_adjustment_about_its_sku_all_else_about_an_order() -> None:
    assert subject_of(Contract().cancelled("2026-01-01")) == Subject(TENANT, "subscription", "ann")
    assert subject_of(adjusted("cup")) == Subject(TENANT, "sku", "cup")
    assert subject_of(order.placed()) == Subject(TENANT, "order", "order-1")


def test_every_event_of_the_catalogue_has_a_subject() -> None:
    values: dict[str, Any] = {"tenant_id": TENANT, "order_id": "o", "customer_id": "c", "sku": "s"}

    kinds = {subject_of(model.model_construct(None, **values)).kind for model in CATALOGUE}

    assert kinds == {"order", "subscription", "sku"}


def test_a_product_is_as_its_adjustment_tells() -> None:
    row = product_row(adjusted("cup", LATER, stock=7, available=5, name="A cup"))

    assert (row.sku, row.name, row.stock, row.available, row.unit_price_minor) == ("cup", "A cup", 7, 5, 500)
    assert (row.adjusted_at, row.currency) == (LATER, "USD")
