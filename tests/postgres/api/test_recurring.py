"""Who moved, the indicators of a month, and the revenue of cohorts."""

from typing import Any

import pytest

from tests.postgres.api.client import (
    ApiClient,
    claims,
    cohort,
    cohort_revenue,
    customer_moved,
    insert,
    moved,
    rule,
)
from tests.postgres.conftest import Analytics

MOVEMENTS, INDICATORS = "/api/metrics/mrr/movements", "/api/metrics/indicators"
REVENUE = "/api/metrics/cohorts/revenue"


@pytest.fixture
def january(analytics: Analytics, client: ApiClient) -> ApiClient:
    insert(
        analytics,
        "mrr_movements",
        customer_moved("dan", "2026-01", "new"),
        customer_moved("ann", "2026-01", "new", annual_minor="1_207".replace("_", "")),
        customer_moved("bob", "2026-01", "churn"),
        customer_moved("eve", "2026-01", "expansion", exchange_minor=-600),
        customer_moved("cat", "2026-01", "exchange", annual_minor=0, exchange_minor=240),
        customer_moved("old", "2025-12", "new"),
        customer_moved("zoe", "2026-03", "churn"),
    )
    return client


def who(data: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a JSON tree
    return [(it["kind"], it["customerId"]) for it in data["movements"]]


def test_the_customers_who_moved_in_a_month_are_listed_by_kind(january: ApiClient) -> None:
    data = january.ask(MOVEMENTS).data

    assert data["month"] == "2026-01"
    assert who(data) == [
        ("churn", "bob"),
        ("exchange", "cat"),
        ("expansion", "eve"),
        ("new", "ann"),
        ("new", "dan"),
    ]
    eve, ann = data["movements"][2:4]
    assert eve["amount"] == {"amountMinor": 100, "currency": "USD"}
    assert eve["exchange"] == {"amountMinor": -50, "currency": "USD"}
    assert ann["amount"] == {"amountMinor": 101, "currency": "USD"}


@pytest.mark.parametrize(
    ("kind", "expected"), [("new", ["ann", "dan"]), ("exchange", ["cat", "eve"]), ("contraction", [])]
)
def test_movements_of_one_kind_are_listed_by_customer(
    january: ApiClient, kind: str, expected: list[str]
) -> None:
    data = january.ask(MOVEMENTS, {"kind": kind}).data

    assert [it["customerId"] for it in data["movements"]] == expected


def test_what_is_known_to_end_is_listed_in_a_month_to_come(january: ApiClient) -> None:
    assert who(january.ask(MOVEMENTS, {"month": "2026-03"}).data) == [("churn", "zoe")]


def test_pages_of_movements_follow_each_other_under_the_same_filters_alone(january: ApiClient) -> None:
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer = january.ask(MOVEMENTS, {"limit": 2} | ({"cursor": cursor} if cursor else {}))
        found += who(answer.data)
        cursor, pages = answer.body["page"]["nextCursor"], pages + 1

    first = january.ask(MOVEMENTS, {"limit": 2}).body["page"]["nextCursor"]
    assert found == who(january.ask(MOVEMENTS).data)
    assert pages == 3
    assert january.ask(MOVEMENTS, {"kind": "new", "cursor": first}).status == 400
    assert january.ask("/api/orders", {"cursor": first}).status == 400


def test_whoever_may_not_see_customers_may_not_see_who_moved(
    analytics: Analytics, january: ApiClient
) -> None:
    insert(analytics, "governance_rules", rule("summary", "audited"))
    with analytics.connect() as owner:
        owner.execute("UPDATE role_metric_visibility SET visible = true WHERE role = 'viewer'")

    refused = january.ask(MOVEMENTS, by=claims(role="viewer"))

    assert refused.status == 403
    assert "cannot see customers" in refused.body["detail"]
    assert january.ask("/api/metrics/mrr", by=claims(role="viewer")).status == 200


@pytest.mark.parametrize("hidden", ["mrr", "churn"])
def test_indicators_are_seen_by_whoever_sees_what_they_are_made_of(
    analytics: Analytics, client: ApiClient, hidden: str
) -> None:
    before = client.ask(INDICATORS, by=claims(role="editor")).status
    with analytics.connect() as owner:
        owner.execute(
            "UPDATE role_metric_visibility SET visible = false WHERE role = 'editor' AND metric = %s",
            [hidden],
        )

    assert before == 200
    assert client.ask(INDICATORS, by=claims(role="editor")).status == 403
    assert {row[0] for row in analytics.rows("SELECT metric FROM audit_logs")} == {"mrr", "churn"}


def test_indicators_follow_from_the_movements_of_a_month(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "mrr_month",
        moved("2025-12", "new", 60_000, 5),
        moved("2026-01", "new", 12_000, 1),
        moved("2026-01", "expansion", 6_000, 1),
        moved("2026-01", "reactivation", 6_000, 1),
        moved("2026-01", "contraction", 3_000, 1),
        moved("2026-01", "churn", 12_000, 1),
    )

    december, january = client.ask(INDICATORS, {"from": "2025-12", "to": "2026-02"}).data["months"]

    assert january == {
        "month": "2026-01",
        "annualRecurringRevenue": {"amountMinor": 69_000, "currency": "USD"},
        "customers": 6,
        "averageRevenuePerAccount": {"amountMinor": 958, "currency": "USD"},
        "quickRatio": 1.6,
        "lifetimeValue": {"amountMinor": 4_792, "currency": "USD"},
    }
    assert (december["quickRatio"], december["lifetimeValue"]) == (None, None)


def test_every_indicator_has_its_formula(client: ApiClient) -> None:
    data = client.ask(INDICATORS).data

    assert set(data["formulas"]) == {
        "annualRecurringRevenue",
        "averageRevenuePerAccount",
        "quickRatio",
        "lifetimeValue",
    }
    assert {
        tuple(month[name] for name in data["formulas"] if name != "annualRecurringRevenue")
        for month in data["months"]
    } == {(None, None, None)}


@pytest.fixture
def season(analytics: Analytics, client: ApiClient) -> ApiClient:
    insert(
        analytics,
        "cohort_month",
        cohort("2025-12", "2025-12", entered=10),
        cohort("2025-12", "2026-01", left_off=8),
        cohort("2025-12", "2025-12", entered=4, basis="subscription"),
    )
    insert(
        analytics,
        "cohort_revenue",
        cohort_revenue("2025-12", "2025-12", 1_000, refunded_minor=200),
        cohort_revenue("2025-12", "2025-12", 500, currency="EUR"),
        cohort_revenue("2025-12", "2026-01", 200),
        cohort_revenue("2025-12", "2025-12", 12_000, basis="subscription", currency="XXX"),
        cohort_revenue("2025-12", "2026-01", -3_000, basis="subscription", currency="XXX"),
    )
    return client


def net(data: Any) -> list[list[tuple[str, int, float]] | None]:  # noqa: ANN401 - a JSON tree
    [found] = data["cohorts"]
    return [
        cell["revenue"]
        and [(it["currency"], it["net"]["amountMinor"], it["retention"]) for it in cell["revenue"]]
        for cell in found["months"]
    ]


def test_orders_of_a_cohort_bring_in_money_by_currency(season: ApiClient) -> None:
    assert net(season.ask(REVENUE).data) == [[("EUR", 500, 1), ("USD", 800, 1)], [("USD", 200, 0.25)]]


def test_subscriptions_of_a_cohort_bring_in_what_is_left_of_them(season: ApiClient) -> None:
    assert net(season.ask(REVENUE, {"basis": "subscription"}).data) == [
        [("USD", 1_000, 1)],
        [("USD", 750, 0.75)],
    ]


def test_the_revenue_of_small_groups_is_withheld(analytics: Analytics, season: ApiClient) -> None:
    insert(analytics, "governance_rules", rule("cohorts", "smallest_group", 5))

    orders = season.ask(REVENUE)
    subscriptions = season.ask(REVENUE, {"basis": "subscription"})

    assert net(orders.data) == [[("EUR", 500, 1), ("USD", 800, 1)], None]
    assert net(subscriptions.data) == [None, None]
    assert subscriptions.data["cohorts"][0]["customers"] is None
    assert orders.body["meta"]["withheld"] == "groups of fewer than 5 customers"


def test_revenue_of_subscriptions_is_not_seen_by_whoever_sees_no_recurring_revenue(season: ApiClient) -> None:
    viewer = claims(role="viewer")

    assert season.ask(REVENUE, by=viewer).status == 200
    assert season.ask(REVENUE, {"basis": "subscription"}, by=viewer).status == 403
