"""Rows of a response as CSV."""

import csv
from datetime import UTC, date, datetime
from io import StringIO

import pytest

from services.analytics.api import csv_table
from services.analytics.api.context import MetricRoute
from services.analytics.api.responses import (
    Cohort,
    CohortCell,
    CohortRevenue,
    DaySales,
    Money,
    OrderItem,
    Orders,
    OrderSummary,
    ProductSales,
    RegionSales,
    RevenueCohort,
    RevenueCohortCell,
    StockedProduct,
)
from services.analytics.api.routes import ROUTES
from services.shared.http.responses import ResponseModel

USD = Money(amount_minor=1_999, currency="USD")
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def lines(model: type[ResponseModel], *rows: ResponseModel) -> list[dict[str, str]]:
    """Read a CSV back, as its user would."""
    return list(csv.DictReader(StringIO(csv_table.text(model, rows), newline="")))


def named(name: str) -> StockedProduct:
    return StockedProduct(
        sku="tea",
        name=name,
        unit_price=USD,
        stock=-2,
        reserved=0,
        available=-2,
        units_sold=0,
        days_of_cover=None,
        told_at=datetime(2026, 1, 31, tzinfo=UTC),
    )


def test_members_of_an_object_have_a_column_each_and_lines_end_as_rfc_4180_says() -> None:
    assert csv_table.text(OrderItem, [OrderItem(sku="tea", quantity=2, unit_price=USD, total=None)]) == (
        "sku,quantity,unitPrice.amountMinor,unitPrice.currency,total.amountMinor,total.currency\r\n"
        "tea,2,1999,USD,,\r\n"
    )


def test_without_rows_there_is_a_header() -> None:
    (header,) = csv_table.text(OrderSummary, []).splitlines()

    assert header.split(",")[:2] == ["orderId", "customerId"]
    assert header.split(",")[7:9] == ["amount.amountMinor", "amount.currency"]


def test_what_names_a_row_is_its_first_column() -> None:
    first = [csv_table.text(model, []).split(",")[0] for model in (RegionSales, ProductSales, DaySales)]

    assert first == ["region", "sku", "day"]


def test_entries_of_a_list_have_lines_of_their_own_and_withheld_cells_are_empty() -> None:
    cells = [
        CohortCell(month=JANUARY, active=10, retention=1.0),
        CohortCell(month=FEBRUARY, active=None, retention=None),
    ]
    empty = Cohort(month=FEBRUARY, customers=None, months=[])

    found = lines(Cohort, Cohort(month=JANUARY, customers=10, months=cells), empty)

    assert [list(line.values()) for line in found] == [
        ["2026-01", "10", "2026-01", "10", "1.0"],
        ["2026-01", "10", "2026-02", "", ""],
        ["2026-02", "", "", "", ""],
    ]


def test_a_list_in_a_list_keeps_currencies_apart() -> None:
    revenue = [
        CohortRevenue(currency=it, net=Money(amount_minor=1, currency=it), retention=None)
        for it in ("EUR", "USD")
    ]
    cell = RevenueCohortCell(month=JANUARY, revenue=revenue)

    found = lines(RevenueCohort, RevenueCohort(month=JANUARY, customers=5, months=[cell]))

    assert [line["months.revenue.net.currency"] for line in found] == ["EUR", "USD"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_is_kept_as_text(name: str) -> None:
    (line,) = lines(StockedProduct, named(name))

    assert line["name"] == f"'{name}"
    assert line["stock"] == "-2"


@pytest.mark.parametrize("name", ['a "b", c', "two\nlines", "Grüner Tee", "a=b"])
def test_any_other_text_comes_back_as_it_is(name: str) -> None:
    (line,) = lines(StockedProduct, named(name))

    assert line["name"] == name


def test_a_member_that_is_no_list_of_rows_is_refused() -> None:
    with pytest.raises(TypeError, match="is no list of rows"):
        csv_table.row_model(OrderItem, "sku")
    assert csv_table.row_model(Orders, "orders") is OrderSummary


def test_every_list_of_the_api_has_a_csv() -> None:
    reads = [route for route in ROUTES if isinstance(route, MetricRoute)]
    without = {route.path for route in reads if route.rows is None}

    assert without == {"/api/metrics/mrr", "/api/metrics/churn", "/api/metrics/summary"}
    for route in reads:
        if route.rows:
            assert csv_table.row_model(route.response_model, route.rows)
