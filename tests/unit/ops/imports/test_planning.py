"""A file of orders or subscriptions becomes events; every row fits or is rejected, with line and reason."""

from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.ops.imports.mapping import FileMapping
from services.shared.events import (
    OrderImported,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionEvent,
    SubscriptionStarted,
    SubscriptionTerms,
)
from tests.support.imports import plan_of

HEADER = "Order ID,Customer,Order Date,SKU,Qty,Line Total,Currency"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "sales.csv"


def _order(plan_events: list[list[object]], at: int = 0) -> OrderImported:
    [event] = plan_events[at]
    assert isinstance(event, OrderImported)
    return event


def test_rows_of_an_order_are_its_lines_wherever_they_stand(file: Path) -> None:
    plan = plan_of(
        file,
        [
            HEADER,
            "o-1,ann,2026-01-31,cup,2,10.00,EUR",
            "o-2,bob,2026-02-01 10:00,pot,1,7.99,EUR",
            "o-1,ann,2026-01-31,jug,1,3.50,EUR",
            "o-1,ann,2026-01-31,cup,-1,-5.00,EUR",
        ],
    )

    first = _order(plan.subjects)  # type: ignore[arg-type]  # lists of any events
    assert [(it.sku, it.quantity, it.total_minor) for it in first.lines] == [
        ("cup", 2, 1_000),
        ("jug", 1, 350),
        ("cup", -1, -500),
    ]
    assert (first.amount_minor, first.refunded_minor, first.units) == (1_350, 500, 3)
    sums = plan.sums["EUR"]
    assert (sums.subjects, sums.revenue_minor, sums.refunded_minor) == (2, 2_149, 500)
    assert (plan.records, plan.loaded, plan.rejects) == (4, 4, [])
    assert set(plan.reader.understood.reasons.values()) == {"guessed by its name"}


def test_discount_tax_and_shipping_are_of_the_order_and_count_once(file: Path) -> None:
    plan = plan_of(
        file,
        [
            f"{HEADER},Discount,Tax,Shipping,Status,Country,Source",
            "o-1,ann,2026-01-31,cup,2,10.00,EUR,1.00,1.90,4.00,Paid,eu,web",
            "o-1,ann,2026-01-31,jug,1,3.50,EUR,1.00,,,Paid,eu,web",
        ],
    )

    order = _order(plan.subjects)  # type: ignore[arg-type]  # lists of any events
    assert order.amount_minor == 1_350 - 100 + 190 + 400
    assert (order.status, order.region, order.channel) == ("CONFIRMED", "eu", "web")


@pytest.mark.parametrize(
    ("rows", "rejected"),
    [
        (["o-1,ann,2026-01-31,cup,x,1,EUR"], [(2, "Qty", "not a number such as 1234.56")]),
        (["o-1,ann,2026-01-31,cup,1.5,1,EUR"], [(2, "Qty", "not a whole number of units")]),
        (["o-1,ann,2026-01-31,cup,0,1,EUR"], [(2, "Qty", "a line has a quantity other than 0")]),
        (["o-1,ann,2026-01-31,cup,1,1.001,EUR"], [(2, "Line Total", "1.001 has more decimals than EUR has")]),
        ([",ann,2026-01-31,cup,1,1,EUR"], [(2, "Order ID", "empty")]),
        (["o-1,,2026-01-31,cup,1,1,EUR"], [(2, "Customer", "empty in all rows of the order")]),
        (["o-1,ann,2026-02-30,cup,1,1,EUR"], [(2, "Order Date", "no such date or time")]),
        (["o-1,ann,2026-01-31,cup,1,1,euros"], [(2, "", "currency: String should match")]),
        (["o-1,ann,2026-01-31,cup,1,-1,EUR"], [(2, "", "lines: quantity and total of a line are both")]),
        (["o-1,ann,2026-01-31,cup,1,1"], [(2, "", "too few cells")]),
        (
            ["o-1,ann,2026-01-31,cup,1,1,EUR", "o-1,ann,2026-01-31,jug,x,1,EUR"],
            [(2, "", "line 3 of the same order was rejected"), (3, "Qty", "not a number")],
        ),
        (
            ["o-1,ann,2026-01-31,cup,1,1,EUR", "o-1,bob,2026-01-31,jug,1,1,EUR"],
            [
                (2, "Customer", "rows of the order disagree: ann and bob"),
                (3, "Customer", "rows of the order"),
            ],
        ),
    ],
)
def test_a_row_that_does_not_fit_is_rejected_and_its_order_with_it(
    file: Path, rows: list[str], rejected: list[tuple[int, str, str]]
) -> None:
    plan = plan_of(file, [HEADER, *rows, "o-9,eve,2026-01-31,cup,1,1.00,EUR"])

    assert len(plan.rejects) == len(rejected)
    for reject, (line, column, reason) in zip(plan.rejects, rejected, strict=True):
        assert (reject.line, reject.column) == (line, column)
        assert reject.reason.startswith(reason)
    assert [_order([events]).order_id for events in plan.subjects] == ["o-9"]  # type: ignore[list-item]  # as above
    assert plan.records == plan.loaded + len(plan.rejects) == len(rows) + 1


def test_a_price_is_multiplied_only_where_no_cent_is_lost(file: Path) -> None:
    header = "Order ID,Customer,Order Date,SKU,Qty,Unit Price,Currency"
    plan = plan_of(
        file,
        [header, "o-1,ann,2026-01-31,cup,4,0.125,EUR", "o-2,ann,2026-01-31,cup,3,0.125,EUR"],
        given=FileMapping(decimal="."),
    )

    assert _order(plan.subjects).amount_minor == 50  # type: ignore[arg-type]  # lists of any events
    [reject] = plan.rejects
    assert reject.line == 3
    assert (
        reject.reason == "quantity times price: 0.375 has more decimals than EUR has; give the line's total"
    )


def test_a_positive_total_beside_a_negative_quantity_came_back(file: Path) -> None:
    plan = plan_of(file, [HEADER, "o-1,ann,2026-01-31,cup,-2,10.00,EUR"])

    order = _order(plan.subjects)  # type: ignore[arg-type]  # lists of any events
    assert (order.amount_minor, order.refunded_minor, order.units) == (0, 1_000, 0)


def test_what_the_user_says_goes_before_guesses_and_fills_empty_cells(file: Path) -> None:
    given = FileMapping(
        columns={"order": "B", "customer": "C"},
        constants={"customer": "guest", "currency": "JPY"},
        words={"erledigt": "CONFIRMED"},
        date_order="mdy",
    )
    plan = plan_of(
        file,
        ["Order ID,B,C,Date,SKU,Qty,Amount,Status", "1,o-1,,02/03/2026,cup,1,500,Erledigt"],
        given=given,
    )

    order = _order(plan.subjects)  # type: ignore[arg-type]  # lists of any events
    assert (order.order_id, order.customer_id, order.amount_minor, order.currency) == (
        "o-1",
        "guest",
        500,
        "JPY",
    )
    assert order.placed_at.isoformat() == "2026-02-03T00:00:00+00:00"
    assert plan.reader.understood.reasons["order"] == "given"


@pytest.mark.parametrize(
    ("lines", "given", "message"),
    [
        (["a,b", "x,y"], FileMapping(), "no column for order, customer, placed_at, sku, quantity, currency"),
        ([HEADER, "o,a,2026-01-31,c,1,1,EUR"], FileMapping(columns={"orders": "SKU"}), "no field orders"),
        ([HEADER, "o,a,2026-01-31,c,1,1,EUR"], FileMapping(columns={"order": "No"}), "no column No; it has"),
        ([HEADER, "o,a,2026-01-31,c,1,1,EUR"], FileMapping(words={"x": "PAID"}), "can mean PAID; choose of"),
        ([HEADER, "o,a,01/02/2026,c,1,1,EUR"], FileMapping(), "two ways.*--date-order dmy"),
        ([HEADER, 'o,a,2026-01-31,c,1,"1,234",EUR'], FileMapping(), "two ways.*--decimal"),
    ],
)
def test_what_cannot_be_known_is_asked_for_by_its_option(
    file: Path, lines: list[str], given: FileMapping, message: str
) -> None:
    with pytest.raises(ToolError, match=message) as refused:
        plan_of(file, lines, given=given)

    assert refused.value.exit_code == 2


def test_the_same_file_read_the_same_way_is_the_same_import(file: Path) -> None:
    lines = [HEADER, "o-1,ann,2026-01-31,cup,1,1.00,EUR"]

    first = plan_of(file, lines)
    other_tenant = plan_of(file, lines, tenant="globex")
    other_way = plan_of(file, lines, given=FileMapping(constants={"region": "eu"}))

    assert plan_of(file, lines).import_id == first.import_id
    assert len({first.import_id, other_tenant.import_id, other_way.import_id}) == 3


def test_chunks_keep_the_events_of_a_subject_together(file: Path) -> None:
    rows = ["id,customer,plan,interval,amount,currency,started at,ended at"]
    rows += [f"s-{n},c-{n},basic,monthly,10,EUR,2026-01-01,2026-02-01" for n in range(5)]
    plan = plan_of(file, rows, "subscriptions")
    plan.events_at_once = 3

    chunks = list(plan.chunks())

    assert [len(chunk) for chunk in chunks] == [2] * 5
    assert [event for chunk in chunks for event in chunk] == [it for events in plan.subjects for it in events]


def test_terms_of_a_subscription_start_change_end_and_start_again(file: Path) -> None:
    plan = plan_of(
        file,
        [
            "id,customer,plan,interval,amount,currency,started at,ended at",
            "s-1,ann,pro,monthly,20,EUR,2026-03-01,2026-05-01",
            "s-1,ann,basic,monthly,10,EUR,2026-01-01,",
            "s-1,ann,pro,annually,200,EUR,2026-07-01,",
        ],
        "subscriptions",
    )

    [events] = plan.subjects
    assert [type(event) for event in events] == [
        SubscriptionStarted,
        SubscriptionChanged,
        SubscriptionCancelled,
        SubscriptionStarted,
    ]
    terms = [(it.plan, it.interval, it.amount_minor) for it in events if isinstance(it, SubscriptionTerms)]
    assert terms == [("basic", "month", 1_000), ("pro", "month", 2_000), ("pro", "year", 20_000)]
    assert [it.effective.month for it in events if isinstance(it, SubscriptionEvent)] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["s-1,ann,pro,monthly,20,EUR,2026-03-01,2026-02-01"], "it ends before it starts"),
        (["s-1,ann,pro,sometimes,20,EUR,2026-03-01,"], "unknown interval"),
        (
            ["s-1,ann,pro,monthly,20,EUR,2026-03-01,", "s-1,ann,pro,monthly,25,EUR,2026-03-01,"],
            "line 2 has terms from the same time on",
        ),
        (
            ["s-1,ann,pro,monthly,20,EUR,2026-03-01,2026-06-01", "s-1,ann,pro,monthly,25,EUR,2026-05-01,"],
            "the terms of line 2 end later than these start",
        ),
        (
            ["s-1,ann,pro,monthly,20,EUR,2026-03-01,", "s-1,bob,pro,monthly,25,EUR,2026-05-01,"],
            "rows of the subscription have different customers",
        ),
    ],
)
def test_terms_that_cannot_be_are_rejected(file: Path, rows: list[str], reason: str) -> None:
    header = "id,customer,plan,interval,amount,currency,started at,ended at"
    plan = plan_of(file, [header, *rows, "s-9,eve,pro,monthly,20,EUR,2026-03-01,"], "subscriptions")

    assert {it.reason.split(";")[0] for it in plan.rejects} == {reason}
    assert len(plan.rejects) == len(rows)
    assert len(plan.subjects) == 1
