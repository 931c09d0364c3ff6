"""Recurring revenue: what a month did to it, and the rates that follow."""

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pytest

from services.shared.database import API, Database
from tests.postgres.api.client import ApiClient, insert, make_tenant, moved
from tests.postgres.api.client import claims as of
from tests.postgres.conftest import Analytics


def amounts(data: Mapping[str, Any]) -> dict[str, int]:
    return {
        name: values["amount"]["amountMinor"] for name, values in data.items() if isinstance(values, dict)
    }


def customers(data: Mapping[str, Any]) -> dict[str, int]:
    return {name: values["customers"] for name, values in data.items() if isinstance(values, dict)}


@pytest.fixture
def year(analytics: Analytics, client: ApiClient) -> ApiClient:
    """December leaves 5 customers with 100.00 a month among them; in January everything happens."""
    insert(
        analytics,
        "mrr_month",
        moved("2025-10", "new", 144_000, 6),
        moved("2025-11", "expansion", 12_000, 2),
        moved("2025-11", "contraction", 12_000, 1),
        moved("2025-12", "churn", 24_000, 1),
        moved("2026-01", "new", 60_000, 3),
        moved("2026-01", "expansion", 24_000, 1),
        moved("2026-01", "reactivation", 12_000, 1),
        moved("2026-01", "contraction", 6_000, 1),
        moved("2026-01", "churn", 36_000, 2),
        moved("2026-02", "new", 999_999_999, 99),
    )
    return client


def test_a_month_is_told_from_its_opening_to_its_closing(year: ApiClient) -> None:
    values = year.ask("/api/metrics/mrr", {"month": "2026-01"}).data

    assert values["month"] == "2026-01"
    assert amounts(values) == {
        "opening": 10_000,
        "new": 5_000,
        "expansion": 2_000,
        "reactivation": 1_000,
        "contraction": 500,
        "churn": 3_000,
        "exchange": 0,
        "closing": 14_500,
    }
    assert customers(values) == {
        "opening": 5,
        "new": 3,
        "expansion": 1,
        "reactivation": 1,
        "contraction": 1,
        "churn": 2,
        "exchange": 0,
        "closing": 7,
    }
    assert values["formula"].startswith(
        "closing = opening + new + expansion + reactivation - contraction - churn"
    )


def test_the_current_month_is_told_unless_another_is_asked_for(year: ApiClient) -> None:
    assert year.ask("/api/metrics/mrr").data == year.ask("/api/metrics/mrr", {"month": "2026-01"}).data


def test_a_month_in_which_nothing_happened_closes_as_it_opened(year: ApiClient) -> None:
    values = year.ask("/api/metrics/mrr", {"month": "2025-09"}).data

    assert set(amounts(values).values()) == {0}


def test_recurring_revenue_is_told_in_the_currency_of_the_tenant(
    analytics: Analytics, client: ApiClient
) -> None:
    make_tenant(analytics, "berlin", reporting_currency="EUR")

    values = client.ask("/api/metrics/mrr", by=of("berlin")).data

    assert values["opening"]["amount"]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("annual_minor", "expected"),
    [
        ("6", 0),
        ("18", 2),
        ("30", 2),
        ("30.0000000000000000000000000000001", 3),
        ("29.9999999999999999999999999999999", 2),
        ("120000000000000000000000000000000012", 10_000_000_000_000_000_000_000_000_000_000_001),
    ],
)
def test_amounts_are_exact_until_they_are_rounded_half_to_even(
    analytics: Analytics, client: ApiClient, annual_minor: str, expected: int
) -> None:
    insert(analytics, "mrr_month", moved("2026-01", "new", annual_minor))

    answer = client.ask("/api/metrics/mrr")

    amount = json.loads(answer.text, parse_float=str)["data"]["new"]["amount"]["amountMinor"]
    assert amount == expected


def test_parts_are_added_up_before_they_are_rounded(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "mrr_month", moved("2025-11", "new", 5), moved("2025-12", "new", 5))

    assert amounts(client.ask("/api/metrics/mrr").data)["opening"] == 1


def test_churn_is_told_as_rates_of_what_the_month_opened_with(year: ApiClient) -> None:
    values = year.ask("/api/metrics/churn", {"month": "2026-01"}).data

    assert values["logoChurn"] == 0.4
    assert values["grossRevenueChurn"] == 0.35
    assert values["grossRevenueRetention"] == 0.65
    assert values["netRevenueRetention"] == 0.85
    assert values["netRevenueChurn"] == 0.15
    assert set(values["formulas"]) == {
        "logoChurn",
        "grossRevenueChurn",
        "netRevenueChurn",
        "grossRevenueRetention",
        "netRevenueRetention",
    }


def test_cancellations_that_take_effect_later_are_upcoming_churn(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(
        analytics,
        "mrr_month",
        moved("2025-12", "new", 24_000, 3),
        moved("2026-01", "churn", 1_200, 1),
        moved("2026-03", "churn", 12_000, 1),
        moved("2026-03", "new", 1_200, 1),
        moved("2026-05", "churn", 6_000, 1),
    )

    data = client.ask("/api/metrics/churn", {"month": "2025-12"}).data

    assert [
        (one["month"], one["churn"]["amount"]["amountMinor"], one["churn"]["customers"])
        for one in data["upcoming"]
    ] == [("2026-03", 1_000, 1), ("2026-05", 500, 1)]


def test_exchange_is_a_signed_line_of_its_own_and_no_churn(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics, "mrr_month", moved("2025-12", "new", 24_000, 2), moved("2026-01", "exchange", -12_000, 1)
    )

    mrr = client.ask("/api/metrics/mrr", {"month": "2026-01"}).data
    churn = client.ask("/api/metrics/churn", {"month": "2026-01"}).data

    assert (amounts(mrr)["exchange"], amounts(mrr)["closing"], customers(mrr)["closing"]) == (
        -1_000,
        1_000,
        2,
    )
    assert (churn["netRevenueRetention"], churn["logoChurn"]) == (1, 0)


@pytest.mark.parametrize("metric", ["mrr", "churn"])
def test_every_month_of_a_range_is_what_it_is_alone(year: ApiClient, metric: str) -> None:
    months = ["2025-09", "2025-10", "2025-11", "2025-12", "2026-01"]

    data = year.ask(f"/api/metrics/{metric}/history", {"from": "2025-09", "to": "2026-02"}).data

    alone = [year.ask(f"/api/metrics/{metric}", {"month": month}).data for month in months]
    assert (data["from"], data["to"]) == ("2025-09", "2026-02")
    assert [month["month"] for month in data["months"]] == months
    for month, single in zip(data["months"], alone, strict=True):
        assert month == {name: single[name] for name in month}
    # The range opens with what happened before it.
    late = year.ask(f"/api/metrics/{metric}/history", {"from": "2026-01", "to": "2026-02"}).data
    assert late["months"] == data["months"][-1:]


def test_a_range_of_months_has_a_default_and_ends_with_the_current_month(year: ApiClient) -> None:
    data = year.ask("/api/metrics/mrr/history").data
    future = year.ask("/api/metrics/mrr/history", {"from": "2026-01", "to": "2026-03"})
    long = year.ask("/api/metrics/churn/history", {"from": "2020-01", "to": "2026-01"})

    assert (data["from"], data["to"], len(data["months"])) == ("2025-02", "2026-02", 12)
    assert (future.status, list(future.errors)) == (422, ["to"])
    assert (long.status, list(long.errors)) == (422, ["from"])


def test_customers_who_return_are_none_of_those_who_stayed(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "mrr_month", moved("2025-12", "new", 1_200), moved("2026-01", "reactivation", 600))

    values = client.ask("/api/metrics/churn").data

    assert values["netRevenueRetention"] == 1
    assert values["netRevenueChurn"] == 0


def test_of_an_opening_of_nothing_there_are_no_rates(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "mrr_month", moved("2026-01", "new", 1_200))

    values = client.ask("/api/metrics/churn").data

    assert [values[name] for name in values["formulas"]] == [None] * 5


def test_rates_are_told_to_six_decimals(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "mrr_month", moved("2025-12", "new", 36, 3), moved("2026-01", "churn", 12, 1))

    assert client.ask("/api/metrics/churn").data["logoChurn"] == 0.333333


def test_a_question_that_takes_too_long_is_to_be_asked_again(analytics: Analytics, client: ApiClient) -> None:
    hurried = analytics.connect(API)
    hurried.execute("SET statement_timeout = '100ms'")

    with closing(hurried), closing(analytics.connect()) as owner, owner.transaction():
        owner.execute("LOCK TABLE mrr_month")
        answer = ApiClient(Database(lambda: hurried)).ask("/api/metrics/mrr")

    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert client.ask("/api/metrics/mrr").status == 200
