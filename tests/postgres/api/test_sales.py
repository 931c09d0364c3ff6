"""What was sold: in all, where, of what, and day by day."""

from datetime import date

from tests.postgres.api.client import ApiClient, insert, sold, sold_in, sold_of, sold_on
from tests.postgres.conftest import Analytics


def test_a_period_is_told_beside_the_one_before_it(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "sales_daily",
        sold("2026-01-08", orders=50),
        sold("2026-01-09", orders=4, confirmed=2, rejected=1, cancelled=1, units=5, revenue_minor=1_000),
        sold("2026-01-10", region="eu", orders=3, confirmed=2, cancelled=1, units=4, revenue_minor=1_001),
        sold(
            "2026-01-10",
            region="us",
            orders=1,
            confirmed=1,
            refunded=1,
            units=1,
            revenue_minor=500,
            refunded_minor=500,
        ),
        sold("2026-01-11", currency="XXX", orders=2, rejected=2),
        sold("2026-01-11", currency="EUR", orders=1, confirmed=1, units=1, revenue_minor=300),
        sold("2026-01-12", orders=50),
    )

    values = client.ask("/api/metrics/summary", {"from": "2026-01-10", "to": "2026-01-12"}).data

    assert values["period"] == {"from": "2026-01-10", "to": "2026-01-12"}
    assert values["previousPeriod"] == {"from": "2026-01-08", "to": "2026-01-10"}
    usd = {
        "currency": "USD",
        "revenue": {"amountMinor": 1_501, "currency": "USD"},
        "refunded": {"amountMinor": 500, "currency": "USD"},
        "net": {"amountMinor": 1_001, "currency": "USD"},
        "averageOrderValue": {"amountMinor": 500, "currency": "USD"},
    }
    assert values["current"] == {
        "orders": 7,
        "confirmed": 4,
        "rejected": 2,
        "cancelled": 1,
        "refunded": 1,
        "units": 6,
        "successRate": 0.571429,
        "takings": [
            {
                "currency": "EUR",
                "revenue": {"amountMinor": 300, "currency": "EUR"},
                "refunded": {"amountMinor": 0, "currency": "EUR"},
                "net": {"amountMinor": 300, "currency": "EUR"},
                "averageOrderValue": {"amountMinor": 300, "currency": "EUR"},
            },
            usd,
        ],
    }
    assert values["previous"]["orders"] == 54
    assert values["change"] == {
        "orders": -0.87037,
        "confirmed": 1,
        "rejected": 1,
        "cancelled": 0,
        "refunded": None,
        "units": 0.2,
        "successRate": 0.142857,
        "takings": [
            {
                "currency": "EUR",
                "revenue": None,
                "refunded": None,
                "net": None,
                "averageOrderValue": None,
            },
            {
                "currency": "USD",
                "revenue": 0.501,
                "refunded": None,
                "net": 0.001,
                "averageOrderValue": 0,
            },
        ],
    }


def test_what_is_no_longer_sold_has_shrunk_to_nothing(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "sales_daily", sold("2026-01-09", orders=1, confirmed=1, revenue_minor=100))

    values = client.ask("/api/metrics/summary", {"from": "2026-01-10", "to": "2026-01-11"}).data

    assert values["change"]["takings"] == [
        {"currency": "USD", "revenue": -1, "refunded": None, "net": -1, "averageOrderValue": None}
    ]
    assert values["current"]["successRate"] is None


def test_the_last_thirty_days_with_today_are_told_unless_others_are_asked_for(client: ApiClient) -> None:
    values = client.ask("/api/metrics/summary").data

    assert values["period"] == {"from": "2026-01-02", "to": "2026-02-01"}
    assert values["previousPeriod"] == {"from": "2025-12-03", "to": "2026-01-02"}


def test_regions_are_told_apart_and_so_are_their_currencies(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "sales_daily",
        sold("2026-01-30", orders=1, rejected=1),
        sold("2026-01-30", region="eu", currency="EUR", orders=2, confirmed=2, units=3, revenue_minor=900),
        sold("2026-01-31", region="eu", currency="EUR", orders=1, confirmed=1, units=1, revenue_minor=100),
        sold("2026-01-31", region="eu", currency="USD", orders=1, confirmed=1, units=1, revenue_minor=50),
        sold("2025-12-31", region="us", orders=1),
    )

    values = client.ask("/api/pipeline/by-region").data

    assert [
        (
            one["region"],
            one["orders"],
            [(taken["currency"], taken["net"]["amountMinor"]) for taken in one["takings"]],
        )
        for one in values["regions"]
    ] == [(None, 1, []), ("eu", 4, [("EUR", 1_000), ("USD", 50)])]


def test_products_are_told_by_how_much_was_sold_of_them(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "product_daily",
        sold_of("tea", "2026-01-30", orders=1, confirmed=1, units=2, revenue_minor=200),
        sold_of("tea", "2026-01-31", currency="EUR", orders=1, confirmed=1, units=3, revenue_minor=250),
        sold_of("cup", "2026-01-31", orders=4, confirmed=4, units=4, revenue_minor=4_000),
        sold_of("pot", "2026-01-31", orders=1, confirmed=1, units=4, revenue_minor=9_000),
    )
    product = {"stock": 1, "available": 1, "unit_price_minor": 1, "currency": "USD", "told_by": "e"}
    insert(
        analytics,
        "products",
        {"tenant_id": "acme", "sku": "tea", "name": "Green tea", "told_at": "2026-01-01", **product},
    )

    values = client.ask("/api/pipeline/by-product").data["products"]
    few = client.ask("/api/pipeline/by-product", {"limit": 1}).data["products"]

    assert [(one["sku"], one["name"], one["units"]) for one in values] == [
        ("tea", "Green tea", 5),
        ("cup", None, 4),
        ("pot", None, 4),
    ]
    assert [taken["revenue"] for taken in values[0]["takings"]] == [
        {"amountMinor": 250, "currency": "EUR"},
        {"amountMinor": 200, "currency": "USD"},
    ]
    assert few == values[:1]


def test_the_last_month_is_told_day_by_day_without_gaps(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "sales_daily",
        sold("2026-01-01", orders=9),
        sold("2026-01-02", orders=1, confirmed=1, units=1, revenue_minor=100),
        sold("2026-01-31", orders=2, rejected=2, currency="XXX"),
    )

    answer = client.ask("/api/sales/last-month")

    days = {date.fromisoformat(one["day"]): one["orders"] for one in answer.data["days"]}
    assert days == {date(2026, 1, day): {2: 1, 31: 2}.get(day, 0) for day in range(2, 32)}
    assert answer.headers["cache-control"] == "no-store"


def test_what_comes_in_shows_at_once_in_the_last_month(analytics: Analytics, client: ApiClient) -> None:
    before = client.ask("/api/sales/last-month").data["days"][-1]["orders"]
    insert(analytics, "sales_daily", sold("2026-01-31", orders=1))

    after = client.ask("/api/sales/last-month").data["days"][-1]["orders"]

    assert (before, after) == (0, 1)


def test_sums_may_be_larger_than_any_amount(analytics: Analytics, client: ApiClient) -> None:
    largest = 2**63 - 1
    insert(
        analytics,
        "sales_daily",
        *(sold("2026-01-10", region=it, confirmed=1, revenue_minor=2 * largest) for it in ("eu", "us")),
    )

    values = client.ask("/api/metrics/summary", {"from": "2026-01-10", "to": "2026-01-11"}).data

    assert values["current"]["takings"][0]["revenue"] == {"amountMinor": 4 * largest, "currency": "USD"}


def test_channels_are_told_apart(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "channel_daily",
        sold_on("", "2026-01-30", orders=1),
        sold_on("web", "2026-01-30", orders=2, confirmed=2, revenue_minor=300),
        sold_on("web", "2026-01-31", "EUR", orders=1, confirmed=1, revenue_minor=50),
        sold_on("app", "2025-01-31", orders=9),
    )

    channels = client.ask("/api/sales/by-channel").data["channels"]

    assert [(it["channel"], it["orders"], len(it["takings"])) for it in channels] == [
        (None, 1, 0),
        ("web", 3, 2),
    ]


def test_a_history_has_every_interval_cut_off_at_its_ends(analytics: Analytics, client: ApiClient) -> None:
    insert(
        analytics,
        "sales_daily",
        sold("2025-12-30", orders=1),
        sold("2026-01-02", orders=2, confirmed=1, revenue_minor=100),
        sold("2026-01-02", region="eu", orders=4),
        sold("2026-01-12", orders=8),
    )
    insert(analytics, "channel_daily", sold_on("web", "2026-01-02", orders=3))
    days = {"from": "2025-12-30", "to": "2026-01-12"}

    def orders(**query: str) -> list[tuple[str, str, int]]:
        data = client.ask("/api/sales/history", {**days, **query}).data
        return [(it["from"], it["to"], it["orders"]) for it in data["intervals"]]

    assert orders(interval="month") == [("2025-12-30", "2026-01-01", 1), ("2026-01-01", "2026-01-12", 6)]
    assert orders(interval="week") == [("2025-12-30", "2026-01-05", 7), ("2026-01-05", "2026-01-12", 0)]
    assert [it[2] for it in orders()] == [1, 0, 0, 6, *[0] * 9]
    assert sum(it[2] for it in orders(region="eu")) == 4
    assert sum(it[2] for it in orders(channel="web")) == 3
    assert client.ask("/api/sales/history", {"region": "eu", "channel": "web"}).errors.keys() == {"channel"}
    assert client.ask("/api/sales/history", {"from": "2020-01-01"}).errors.keys() == {"from"}


def test_products_are_paged_by_units_or_by_revenue_in_one_currency(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(
        analytics,
        "product_daily",
        sold_of("tea", "2025-12-31", orders=1, confirmed=1, units=9, revenue_minor=900),
        sold_of("cup", "2026-01-01", orders=1, confirmed=1, units=50, revenue_minor=50),
        sold_of("cup", "2026-01-31", orders=1, confirmed=1, units=1, revenue_minor=7_000),
        sold_of("pot", "2026-01-31", "EUR", orders=1, confirmed=1, units=3, revenue_minor=9_000),
    )
    insert(
        analytics,
        "product_month",
        sold_in("2025-12", "tea", orders=1, confirmed=1, units=9, revenue_minor=900),
        sold_in("2026-01", "cup", orders=2, confirmed=2, units=51, revenue_minor=7_050),
        sold_in("2026-01", "pot", "EUR", orders=1, confirmed=1, units=3, revenue_minor=9_000),
    )
    days = {"from": "2025-12-31", "to": "2026-02-01"}

    def listed(**query: object) -> list[str]:
        found, cursor = [], None
        while True:
            given = {**days, "limit": 1, **query} | ({"cursor": cursor} if cursor else {})
            answer = client.ask("/api/sales/by-product", given)
            found += [it["sku"] for it in answer.data["products"]]
            cursor = answer.body["page"]["nextCursor"]
            if cursor is None:
                return found

    assert listed() == ["cup", "tea", "pot"]
    assert listed(sort="revenue") == ["cup", "tea", "pot"]
    assert listed(sort="revenue", currency="EUR") == ["pot", "cup", "tea"]
    assert listed(**{"from": "2026-01-02"}) == ["pot", "cup"]
    assert client.ask("/api/sales/by-product", {"currency": "EUR"}).errors.keys() == {"currency"}
