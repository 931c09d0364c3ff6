"""Lists and tables as CSV: the rows that the filters select, and what a role may see of them."""

import csv
from collections.abc import Iterator
from io import StringIO
from urllib.parse import parse_qsl, urlsplit

import pytest

from services.analytics.api import csv_table
from services.analytics.api.context import MetricRoute
from services.analytics.api.routes import ROUTES
from tests.postgres.api.client import ApiClient, Reply, claims, insert, order, sold
from tests.postgres.conftest import Analytics

CSV = {"accept": "text/csv"}
WITHOUT_PARAMS = [route for route in ROUTES if isinstance(route, MetricRoute) and "{" not in route.path]


def rows(reply: Reply) -> list[dict[str, str]]:
    assert reply.status == 200, reply.text
    return list(csv.DictReader(StringIO(reply.text, newline="")))


def pages(client: ApiClient, path: str, query: dict[str, object]) -> Iterator[Reply]:
    """Follow the links to the rows that remain."""
    reply = client.ask(path, query, headers=CSV)
    yield reply
    while link := reply.headers.get("link"):
        target, rel = link.split("; ")
        assert rel == 'rel="next"'
        url = urlsplit(target.strip("<>"))
        reply = client.ask(url.path, parse_qsl(url.query), headers=CSV)
        yield reply


@pytest.mark.parametrize("route", WITHOUT_PARAMS, ids=lambda route: route.path)
def test_every_list_answers_as_csv_and_everything_else_says_what_it_answers_as(
    client: ApiClient, route: MetricRoute
) -> None:
    reply = client.ask(route.path, headers=CSV)

    if route.rows:
        assert reply.status == 200, reply.text
        assert reply.headers["content-type"] == "text/csv; charset=utf-8; header=present"
        assert reply.headers["cache-control"] == client.ask(route.path).headers["cache-control"]
        assert reply.text.splitlines()[0]
    else:
        assert (reply.status, reply.body["type"]) == (406, "urn:pulsequeue:problem:not-acceptable")
        assert "application/json" in reply.body["detail"]


@pytest.mark.parametrize("route", WITHOUT_PARAMS, ids=lambda route: route.path)
def test_what_no_route_answers_as_is_not_acceptable(client: ApiClient, route: MetricRoute) -> None:
    assert client.ask(route.path, headers={"accept": "image/png"}).status == 406


def test_a_csv_has_every_order_that_the_filters_select(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", *(order(f"o-{number:03}", customer_id="ann") for number in range(260)))
    insert(analytics, "orders", order("other", customer_id="bob"))

    reply = client.ask("/api/orders", {"customer": "ann"}, headers=CSV)

    assert {row["orderId"] for row in rows(reply)} == {f"o-{number:03}" for number in range(260)}
    assert rows(reply)[0]["amount.amountMinor"] == "1000"
    assert "link" not in reply.headers
    assert reply.headers["content-disposition"] == 'attachment; filename="orders.csv"'


def test_rows_beyond_a_limit_follow_by_links_with_the_same_filters(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(analytics, "orders", *(order(f"o-{number}") for number in range(5)))
    insert(analytics, "orders", order("other", status="REJECTED"))

    found = [rows(it) for it in pages(client, "/api/orders", {"status": "CONFIRMED", "limit": 2})]

    assert [len(it) for it in found] == [2, 2, 1]
    assert {row["orderId"] for page in found for row in page} == {f"o-{number}" for number in range(5)}


def test_more_rows_than_one_response_holds_follow_by_a_link(
    analytics: Analytics, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "MAX_ROWS", 3)
    insert(analytics, "orders", *(order(f"o-{number}") for number in range(4)))

    assert [len(rows(it)) for it in pages(client, "/api/orders", {})] == [3, 1]


def test_a_role_that_may_not_see_customers_gets_none_in_a_csv(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(analytics, "orders", order("o-1"))

    def customer(role: str) -> str:
        (row,) = rows(client.ask("/api/orders", headers=CSV, by=claims(role=role)))
        return row["customerId"]

    assert (customer("viewer"), customer("admin")) == ("", "ann")


def test_amounts_of_each_currency_have_a_line_of_their_own(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "sales_daily", sold("2026-01-30", "eu", orders=2, confirmed=2, revenue_minor=20))
    insert(analytics, "sales_daily", sold("2026-01-30", "eu", currency="EUR", orders=1, confirmed=1))

    found = rows(client.ask("/api/sales/by-region", headers=CSV))

    assert [(row["region"], row["takings.currency"]) for row in found] == [("eu", "EUR"), ("eu", "USD")]


def test_json_and_csv_of_the_same_rows_have_different_tags(client: ApiClient) -> None:
    path = "/api/sales/by-region"
    as_json, as_csv = client.ask(path).headers["etag"], client.ask(path, headers=CSV).headers["etag"]

    assert as_json != as_csv
    assert client.ask(path, headers={**CSV, "if-none-match": as_csv}).status == 304
    assert client.ask(path, headers={**CSV, "if-none-match": as_json}).status == 200


def test_the_items_of_an_order_are_its_csv(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"))

    reply = client.ask("/api/orders/o-1", headers=CSV)

    assert reply.headers["content-disposition"] == 'attachment; filename="orders-items.csv"'
    assert reply.text.startswith("sku,quantity,unitPrice.amountMinor")
