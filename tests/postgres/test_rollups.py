"""What orders and customers contribute to the rollups, against hand-computed cases."""

from datetime import date
from decimal import Decimal

import pytest

from services.analytics.db.tables import (
    COHORT_MONTH,
    CUSTOMER_MONTH,
    MRR_MONTH,
    PRODUCT_DAILY,
    ROLLUPS,
    SALES_DAILY,
    CohortMonth,
    CustomerMonth,
    MrrMonth,
    ProductDay,
    SalesDay,
    Table,
)
from services.analytics.model.mrr import Rates, customer_rows
from services.analytics.model.orders import order_rows
from services.analytics.model.rollups import (
    Contribution,
    Totals,
    of_customer,
    of_months_with_orders,
    of_order,
)
from services.shared.events import Event
from tests.postgres.events import TENANT, Contract, Shop, at

DAY = date(2026, 1, 31)
JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in range(1, 6))


def added(table: Table, *events: Event) -> list[tuple[object, ...]]:
    totals = Totals()
    totals.add(of_order(order_rows(events)))
    return list(totals.rows(table))


order = Shop(lines=[("cup", 2, 500), ("mug", 1, 300)])


@pytest.mark.parametrize(
    ("events", "sums"),
    [
        ([order.requested()], (1, 0, 0, 0, 0, 0, 0, 0)),
        ([order.confirmed()], (1, 1, 0, 0, 0, 3, 1_300, 0)),
        ([order.requested(), order.rejected()], (1, 0, 1, 0, 0, 0, 0, 0)),
        ([order.requested(), order.cancelled()], (1, 0, 0, 1, 0, 0, 0, 0)),
        ([order.confirmed(), order.refunded()], (1, 1, 0, 0, 1, 3, 1_300, 1_300)),
        # A late charge was never revenue, so it is not given back of it, either.
        ([order.cancelled(), order.processed(), order.refunded()], (1, 0, 0, 1, 0, 0, 0, 0)),
    ],
)
def test_a_day_of_sales_counts_an_order_by_what_became_of_it(
    events: list[Event], sums: tuple[int, ...]
) -> None:
    assert added(SALES_DAILY, *events) == [SalesDay(TENANT, DAY, "", "USD", *sums)]


def test_a_day_of_a_product_counts_its_lines_in_orders() -> None:
    assert added(PRODUCT_DAILY, order.confirmed(), order.refunded()) == [
        ProductDay(TENANT, DAY, "cup", "USD", 1, 1, 0, 0, 1, 2, 1_000, 1_000),
        ProductDay(TENANT, DAY, "mug", "USD", 1, 1, 0, 0, 1, 1, 300, 300),
    ]
    assert added(PRODUCT_DAILY, order.requested(), order.cancelled()) == [
        ProductDay(TENANT, DAY, "cup", "USD", 1, 0, 0, 1, 0, 0, 0, 0),
        ProductDay(TENANT, DAY, "mug", "USD", 1, 0, 0, 1, 0, 0, 0, 0),
    ]


def test_products_add_up_to_the_day_where_a_sku_has_two_prices() -> None:
    confirmed = Shop(lines=[("cup", 1, 500), ("cup", 2, 333), ("mug", 1, 70)]).confirmed()

    assert [row[10] for row in added(SALES_DAILY, confirmed)] == [1_236]
    assert [row[10] for row in added(PRODUCT_DAILY, confirmed)] == [1_166, 70]


def test_where_nothing_was_priced_there_is_no_currency_and_no_region_where_nobody_said() -> None:
    plain, regional = order.placed(), order.placed(region="EU")

    assert [row[2:4] for row in added(SALES_DAILY, plain)] == [("", "XXX")]
    assert [row[2:4] for row in added(SALES_DAILY, regional)] == [("EU", "XXX")]
    assert [row[2:4] for row in added(PRODUCT_DAILY, plain)] == [("cup", "XXX"), ("mug", "XXX")]


def test_an_order_counts_on_the_day_it_was_placed_by_utc() -> None:
    late = at("2026-01-31", "23:59")

    rows = added(CUSTOMER_MONTH, order.placed(late), order.confirmed(at("2026-02-01", "00:01")))

    assert rows == [CustomerMonth(TENANT, "ann", JAN, "USD", 1, 1_300, 0)]


def test_a_month_of_a_customer_holds_confirmed_orders_alone() -> None:
    assert added(CUSTOMER_MONTH, order.requested(), order.cancelled(), order.refunded()) == []
    assert added(CUSTOMER_MONTH, order.confirmed(), order.refunded(amount_minor=200)) == [
        CustomerMonth(TENANT, "ann", JAN, "USD", 1, 1_300, 200)
    ]


def test_what_was_said_before_is_taken_off_again_to_the_last_row() -> None:
    totals = Totals()
    before, after = order_rows([order.placed()]), order_rows([order.placed(), order.confirmed()])

    totals.add(of_order(before))
    totals.add(of_order(after))
    totals.subtract(of_order(before))

    for rollup in ROLLUPS:
        assert list(totals.rows(rollup)) == added(rollup, order.placed(), order.confirmed())
    totals.subtract(of_order(after))
    assert [list(totals.rows(rollup)) for rollup in ROLLUPS] == [[] for _ in ROLLUPS]


def test_sums_come_in_the_order_of_their_keys_in_which_everyone_writes_them() -> None:
    totals = Totals()
    for sku in ("mug", "cup", "pot"):
        totals.add([Contribution(PRODUCT_DAILY, (TENANT, DAY, sku, "USD"), (1,) * 8)])

    assert [key[2] for key in totals.of(PRODUCT_DAILY)] == ["cup", "mug", "pot"]


def test_sums_of_many_digits_are_exact() -> None:
    totals = Totals()
    key = (TENANT, JAN, "new")
    totals.add([Contribution(MRR_MONTH, key, (1, Decimal("1e30")))])
    totals.add([Contribution(MRR_MONTH, key, (1, Decimal("1e-10")))])
    totals.subtract([Contribution(MRR_MONTH, key, (1, Decimal("1e30")))])

    assert list(totals.rows(MRR_MONTH)) == [MrrMonth(TENANT, JAN, "new", 1, Decimal("1e-10"))]


def test_movements_of_customers_add_up_and_move_them_in_their_cohort() -> None:
    contract = Contract()
    events = [
        contract.started("2026-01-10", 1_000),
        contract.changed("2026-02-10", 1_500),
        contract.changed("2026-03-10", 0),
        contract.changed("2026-05-10", 1_000),
    ]
    totals = Totals()

    totals.add(of_customer(customer_rows(events, Rates("USD"))))

    assert list(totals.rows(MRR_MONTH)) == [
        MrrMonth(TENANT, JAN, "new", 1, Decimal(12_000)),
        MrrMonth(TENANT, FEB, "expansion", 1, Decimal(6_000)),
        MrrMonth(TENANT, MAR, "churn", 1, Decimal(18_000)),
        MrrMonth(TENANT, MAY, "reactivation", 1, Decimal(12_000)),
    ]
    assert list(totals.rows(COHORT_MONTH)) == [
        CohortMonth(TENANT, "subscription", JAN, JAN, 1, 0),
        CohortMonth(TENANT, "subscription", JAN, MAR, 0, 1),
        CohortMonth(TENANT, "subscription", JAN, MAY, 1, 0),
    ]


def test_a_customer_enters_in_a_month_with_an_order_and_leaves_in_the_next_without() -> None:
    totals = Totals()

    totals.add(of_months_with_orders(TENANT, {JAN, FEB, APR}))

    assert list(totals.rows(COHORT_MONTH)) == [
        CohortMonth(TENANT, "order", JAN, JAN, 1, 0),
        CohortMonth(TENANT, "order", JAN, MAR, 0, 1),
        CohortMonth(TENANT, "order", JAN, APR, 1, 0),
        CohortMonth(TENANT, "order", JAN, MAY, 0, 1),
    ]
    assert of_months_with_orders(TENANT, set()) == []


def test_after_the_last_month_there_is_nobody_left_to_leave() -> None:
    last = date(9999, 12, 1)

    assert of_months_with_orders(TENANT, {last}) == [
        Contribution(COHORT_MONTH, (TENANT, "order", last, last), (1, 0))
    ]


def test_months_follow_each_other_over_the_end_of_a_year() -> None:
    totals = Totals()

    totals.add(of_months_with_orders(TENANT, {date(2025, 12, 1), JAN, date.min}))

    assert [(row[3], *row[4:]) for row in totals.rows(COHORT_MONTH)] == [
        (date.min, 1, 0),
        (date(1, 2, 1), 0, 1),
        (date(2025, 12, 1), 1, 0),
        (FEB, 0, 1),
    ]
