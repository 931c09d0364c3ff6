"""Stock beside sales: products from the rows, units from the inventory, and how long they last."""

import pytest

from services.shared.ledger import Key, Price, Stock
from tests.postgres.api.client import ApiClient, at, insert, sold_of
from tests.postgres.conftest import Analytics


def product(sku: str, name: str | None = None, **columns: object) -> dict[str, object]:
    return {
        "tenant_id": "acme",
        "sku": sku,
        "name": name,
        "stock": 50,
        "available": 40,
        "unit_price_minor": 1_999,
        "currency": "USD",
        "told_at": at("2026-01-02"),
        "told_by": "event-1",
        **columns,
    }


@pytest.fixture
def shop(analytics: Analytics, client: ApiClient) -> ApiClient:
    insert(
        analytics,
        "products",
        product("kettle", "Gooseneck kettle"),
        product("papers", "Filter papers"),
        product("grinder"),
    )
    insert(
        analytics,
        "product_daily",
        sold_of("papers", "2026-01-30", units=40),
        sold_of("papers", "2026-01-31", "EUR", units=20),
        sold_of("papers", "2025-12-01", units=9_000),
        sold_of("kettle", "2026-01-31", units=15),
    )
    key = Key("acme", "papers")
    client.stock[key] = Stock(key, stock=100, reserved=70, available=30, price=Price(1_999, "USD"))
    return client


def test_units_are_of_this_moment_and_what_sells_most_comes_first(shop: ApiClient) -> None:
    products = shop.ask("/api/inventory").data["products"]

    assert [it["sku"] for it in products] == ["papers", "kettle", "grinder"]
    papers = products[0]
    assert (papers["stock"], papers["reserved"], papers["available"]) == (100, 70, 30)
    assert papers["toldAt"] is None
    assert (papers["unitsSold"], papers["daysOfCover"]) == (60, 15.0)  # 30 / (60 / 30 days)
    assert papers["unitPrice"] == {"amountMinor": 1_999, "currency": "USD"}


def test_without_a_row_in_the_inventory_the_newest_adjustment_is_told_with_its_time(shop: ApiClient) -> None:
    kettle = shop.ask("/api/inventory").data["products"][1]

    assert (kettle["stock"], kettle["reserved"], kettle["available"]) == (50, 10, 40)
    assert kettle["toldAt"] == "2026-01-02T00:00:00.000Z"
    assert kettle["daysOfCover"] == 80.0


def test_what_was_not_sold_has_no_days_of_cover(shop: ApiClient) -> None:
    grinder = shop.ask("/api/inventory").data["products"][2]

    assert (grinder["unitsSold"], grinder["daysOfCover"]) == (0, None)


def test_pages_follow_each_other_also_where_equally_many_were_sold(
    analytics: Analytics, shop: ApiClient
) -> None:
    insert(analytics, "products", *(product(f"new-{number}") for number in range(5)))
    seen, cursor = [], None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        reply = shop.ask("/api/inventory", query)
        seen += [it["sku"] for it in reply.data["products"]]
        cursor = reply.body["page"]["nextCursor"]
        if cursor is None:
            break

    assert seen == ["papers", "kettle", "grinder", *(f"new-{number}" for number in range(5))]


@pytest.mark.parametrize("search", ["KETTLE", "neck k", "ttl"])
def test_a_product_is_found_by_a_part_of_its_name_or_sku(shop: ApiClient, search: str) -> None:
    products = shop.ask("/api/inventory", {"search": search}).data["products"]

    assert [it["sku"] for it in products] == ["kettle"]


def test_a_percent_sign_means_itself(shop: ApiClient) -> None:
    assert shop.ask("/api/inventory", {"search": "%"}).data["products"] == []


def test_a_cursor_is_valid_only_with_its_search(shop: ApiClient) -> None:
    cursor = shop.ask("/api/inventory", {"limit": "1"}).body["page"]["nextCursor"]

    assert shop.ask("/api/inventory", {"cursor": cursor, "search": "e"}).status == 400
