"""Random histories: the API answers what the plain reference model computes from the rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from services.analytics.projector.service import Projector
from tests.postgres.api.client import ApiClient, claims
from tests.postgres.conftest import Analytics
from tests.postgres.event_histories import TENANTS, DemoData
from tests.postgres.events import messages
from tests.postgres.reference_model import QUERIES
from tests.support.fakes import RecordingTelemetry

CURRENCY = {"acme": "USD", "globex": "EUR"}
MONTHS = [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1)]
RANGE = {"from": "2025-11", "to": "2026-02"}


@pytest.fixture(params=range(4))
def history(request: pytest.FixtureRequest, rated: Analytics) -> ApiClient:
    """The API of a database that received a random history, in no order."""
    data = DemoData(request.param)
    projector = Projector(rated.projector, RecordingTelemetry())
    for batch in data.batches(data.events(orders=30, contracts=25)):
        assert projector.handle(messages(batch)) == ()
    return ApiClient(rated.api)


def pages(client: ApiClient, path: str, tenant: str, **query: object) -> list[dict[str, Any]]:
    """Read a list to its end, two entries at a time."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        given = {**query, "limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = client.ask(path, given, by=claims(tenant))
        [entries] = [it for it in answer.data.values() if isinstance(it, list)]
        found += entries
        cursor = answer.body["page"]["nextCursor"]
        if cursor is None:
            return found


def monthly(annual: object) -> int:
    return round(Fraction(str(annual)) / 12)


@pytest.mark.parametrize("kind", [None, "new", "churn", "exchange"])
def test_who_moved_is_who_the_reference_model_finds(
    rated: Analytics, history: ApiClient, kind: str | None
) -> None:
    reference = rated.rows(QUERIES["mrr_movements"])
    for tenant in TENANTS:
        for month in MONTHS:
            expected = [
                (movement, customer, monthly(annual), monthly(exchange))
                for its, customer, its_month, movement, annual, exchange in reference
                if (its, its_month) == (tenant, month)
                and kind in {None, movement, "exchange" if exchange else None}
            ]
            query = {"month": f"{month:%Y-%m}"} | ({"kind": kind} if kind else {})

            found = pages(history, "/api/metrics/mrr/movements", tenant, **query)

            listed = [
                (it["kind"], it["customerId"], it["amount"]["amountMinor"], it["exchange"]["amountMinor"])
                for it in found
            ]
            assert listed == sorted(expected, key=lambda it: it[1] if kind else it[:2])
    assert reference


def test_indicators_are_those_of_the_customers_of_each_month(rated: Analytics, history: ApiClient) -> None:
    worth: defaultdict[tuple[str, date], dict[str, Fraction]] = defaultdict(dict)
    kinds: defaultdict[tuple[str, date, str], Fraction] = defaultdict(Fraction)
    churned: defaultdict[tuple[str, date], int] = defaultdict(int)
    for tenant, customer, month, movement, annual, exchange in rated.rows(QUERIES["mrr_movements"]):
        is_loss = movement in {"contraction", "churn"}
        change = Fraction(exchange) + (-Fraction(annual) if is_loss else Fraction(annual))
        worth[tenant, month][customer] = change
        kinds[tenant, month, movement] += Fraction(annual)
        churned[tenant, month] += movement == "churn"
    for tenant in TENANTS:
        customers: defaultdict[str, Fraction] = defaultdict(Fraction)
        found = history.ask("/api/metrics/indicators", RANGE, by=claims(tenant)).data["months"]
        for month, its in zip(MONTHS, found, strict=True):
            before = sum(1 for it in customers.values() if it)
            for customer, change in worth[tenant, month].items():
                customers[customer] += change
            active = sum(1 for it in customers.values() if it)
            annual = sum(customers.values(), Fraction())
            gained = sum(
                (kinds[tenant, month, it] for it in ("new", "expansion", "reactivation")), Fraction()
            )
            lost = sum((kinds[tenant, month, it] for it in ("contraction", "churn")), Fraction())
            left = churned[tenant, month]
            account = annual / 12 / active if active else None
            lifetime = account / Fraction(left, before) if account and left and before else None

            assert its["annualRecurringRevenue"]["amountMinor"] == round(annual)
            assert its["customers"] == active
            assert its["quickRatio"] == (round(float(gained / lost), 6) if lost else None)
            for name, exact in (("averageRevenuePerAccount", account), ("lifetimeValue", lifetime)):
                assert its[name] == (
                    None if exact is None else {"amountMinor": round(exact), "currency": CURRENCY[tenant]}
                )


RANGES = [
    ("2025-11-20", "2026-03-31"),
    ("2025-12-05", "2026-01-28"),
    ("2025-12-28", "2026-02-03"),
    ("2026-01-03", "2026-01-20"),
]
_SOLD = """
WITH sold AS (
  SELECT o.tenant_id, order_id, coalesce(channel, '') AS channel, coalesce(o.currency, 'XXX') AS currency,
    units, amount_minor, date_trunc(%s, placed_at AT TIME ZONE 'UTC')::date AS starts,
    o.status IN ('CONFIRMED', 'REFUNDED') AS is_sold
  FROM orders o
  WHERE placed_at >= %s::timestamp AT TIME ZONE 'UTC' AND placed_at < %s::timestamp AT TIME ZONE 'UTC'
)
"""


def brief(sales: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what is compared of the sales of one entry."""
    revenue = {it["currency"]: it["revenue"]["amountMinor"] for it in sales["takings"]}
    return sales["orders"], sales["confirmed"], sales["units"], revenue


def grouped(rows: Iterable[tuple[Any, ...]]) -> dict[tuple[str, Any], tuple[object, ...]]:
    """Add up rows of tenant, group, currency, orders, confirmed, units and revenue."""
    found: dict[tuple[str, Any], tuple[object, ...]] = {}
    for tenant, group, currency, orders, confirmed, units, revenue in rows:
        its: Any = found.get((tenant, group), (0, 0, 0, {}))
        by_currency = {**its[3], **({currency: int(revenue)} if confirmed else {})}
        found[tenant, group] = (its[0] + orders, its[1] + confirmed, its[2] + int(units), by_currency)
    return found


@pytest.mark.parametrize(("start", "end"), RANGES)
def test_sales_of_any_range_are_those_of_its_orders(
    rated: Analytics, history: ApiClient, start: str, end: str
) -> None:
    sums = (
        "count(*), count(*) FILTER (WHERE is_sold), coalesce(sum({units}) FILTER (WHERE is_sold), 0),"
        " coalesce(sum({money}) FILTER (WHERE is_sold), 0)"
    )
    of_orders = sums.format(units="units", money="amount_minor")
    of_items = sums.format(units="quantity", money="total_minor")
    channels, weeks, products = (
        grouped(
            rated.rows(
                f"{_SOLD} SELECT tenant_id, {group}, currency, {its} GROUP BY 1, 2, 3", "week", start, end
            )
        )
        for group, its in (
            ("channel", f"{of_orders} FROM sold"),
            ("starts", f"{of_orders} FROM sold"),
            ("sku", f"{of_items} FROM sold JOIN order_items USING (tenant_id, order_id)"),
        )
    )
    days = {"from": start, "to": end}
    for tenant in TENANTS:
        by = claims(tenant)
        its_channels = history.ask("/api/sales/by-channel", days, by=by).data["channels"]
        its_weeks = history.ask("/api/sales/history", {**days, "interval": "week"}, by=by).data["intervals"]
        its_products = pages(history, "/api/sales/by-product", tenant, **days)
        by_revenue = pages(history, "/api/sales/by-product", tenant, **days, sort="revenue", currency="JPY")

        assert {it["channel"] or "": brief(it) for it in its_channels} == _of(channels, tenant)
        assert [it["from"] for it in its_weeks] == sorted(it["from"] for it in its_weeks)
        assert {_monday(it["from"]): brief(it) for it in its_weeks if it["orders"]} == _of(weeks, tenant)
        assert {it["sku"]: brief(it) for it in its_products} == _of(products, tenant)
        assert len(its_products) == len(by_revenue) == len(_of(products, tenant))
        assert [it["sku"] for it in its_products] == [
            it["sku"] for it in sorted(its_products, key=lambda it: (-it["units"], it["sku"]))
        ]
        assert [it["sku"] for it in by_revenue] == [
            it["sku"]
            for it in sorted(by_revenue, key=lambda it: (-brief(it)[3].get("JPY", 0), it["sku"]))  # type: ignore[attr-defined]
        ]


def _of(found: Mapping[tuple[str, Any], tuple[object, ...]], tenant: str) -> dict[Any, tuple[object, ...]]:
    return {group: its for (its_tenant, group), its in found.items() if its_tenant == tenant}


def _monday(day: str) -> date:
    found = date.fromisoformat(day)
    return found - timedelta(days=found.weekday())


@pytest.mark.parametrize("basis", ["order", "subscription"])
def test_revenue_of_cohorts_is_that_of_their_customers(
    rated: Analytics, history: ApiClient, basis: str
) -> None:
    sums: defaultdict[tuple[str, str], dict[tuple[str, str], Fraction]] = defaultdict(dict)
    for tenant, _, began, month, currency, revenue, refunded in rated.rows(
        QUERIES[f"cohort_revenue ({basis})"]
    ):
        sums[tenant, f"{began:%Y-%m}"][f"{month:%Y-%m}", currency] = Fraction(revenue) - Fraction(refunded)
    compared = 0
    for tenant in TENANTS:
        data = history.ask("/api/metrics/cohorts/revenue", {**RANGE, "basis": basis}, by=claims(tenant)).data
        for found in data["cohorts"]:
            its = sums[tenant, found["month"]]
            for cell in found["months"]:
                expected = {
                    currency: round(amount)
                    for (month, currency), amount in its.items()
                    if month == cell["month"]
                }
                if basis == "subscription":
                    total = sum((it for (month, _), it in its.items() if month <= cell["month"]), Fraction())
                    expected = {CURRENCY[tenant]: round(total / 12)}
                assert {it["currency"]: it["net"]["amountMinor"] for it in cell["revenue"]} == expected
                compared += 1
    assert compared
