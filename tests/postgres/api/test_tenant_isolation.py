"""No way leads from one tenant to another's rows."""

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from services.shared.database import OWNER
from tests.postgres.api.client import (
    ApiClient,
    Claims,
    at,
    claims,
    cohort,
    cohort_revenue,
    inbox_row,
    insert,
    make_tenant,
    moved,
    order,
    out_of_reach,
    sold,
    sold_in,
    sold_of,
    sold_on,
)
from tests.postgres.conftest import Analytics

PATHS = (
    "/api/orders",
    "/api/orders/o-1",
    "/api/metrics/mrr",
    "/api/metrics/churn",
    "/api/metrics/mrr/history",
    "/api/metrics/churn/history",
    "/api/inventory",
    "/api/metrics/mrr/movements",
    "/api/metrics/mrr/movements?kind=new",
    "/api/metrics/indicators",
    "/api/metrics/cohorts/revenue",
    "/api/metrics/cohorts",
    "/api/metrics/cohorts?basis=subscription",
    "/api/metrics/summary",
    "/api/pipeline/by-region",
    "/api/pipeline/by-product",
    "/api/sales/last-month",
    "/api/sales/history",
    "/api/sales/history?channel=moon",
    "/api/sales/by-region",
    "/api/sales/by-channel",
    "/api/sales/by-product",
    "/api/sales/by-product?sort=revenue",
)


@pytest.fixture
def full(analytics: Analytics, client: ApiClient) -> ApiClient:
    """Rows of acme in every table that the API reads; the other tenant has none."""
    make_tenant(analytics, "other")
    version: dict[str, object] = {"version": 1, "tenant_id": "acme", "order_id": "o-1"}
    insert(analytics, "orders", order("o-1", region="moon", units=77_777))
    insert(
        analytics,
        "order_items",
        {"tenant_id": "acme", "order_id": "o-1", "sku": "sku-77777", "quantity": 77_777},
    )
    insert(
        analytics,
        "payments",
        {**version, "status": "SUCCEEDED", "amount_minor": 77_777, "currency": "USD"},
    )
    insert(analytics, "fulfillment", {**version, "status": "DUE", "units": 77_777, "due_at": "2026-01-01"})
    insert(analytics, "event_inbox", inbox_row("o-1", "OrderPlaced", secret=77_777))
    insert(analytics, "sales_daily", sold("2026-01-31", region="moon", orders=77_777, confirmed=77_777))
    insert(analytics, "product_daily", sold_of("sku-77777", "2026-01-31", orders=77_777, confirmed=77_777))
    insert(
        analytics,
        "products",
        {
            "tenant_id": "acme",
            "sku": "sku-77777",
            "stock": 77_777,
            "available": 77_777,
            "unit_price_minor": 1,
            "currency": "USD",
            "told_at": "2026-01-01",
            "told_by": "event-1",
        },
    )
    insert(analytics, "channel_daily", sold_on("moon", "2026-01-31", orders=77_777, confirmed=77_777))
    insert(analytics, "product_month", sold_in("2026-01", "sku-77777", orders=77_777, confirmed=77_777))
    insert(
        analytics,
        "mrr_month",
        moved("2025-12", "new", 12 * 77_777, 77_777),
        moved("2026-01", "new", 12 * 77_777, 77_777),
    )
    insert(
        analytics,
        "mrr_movements",
        {
            "tenant_id": "acme",
            "customer_id": "customer-77777",
            "month": "2026-01-01",
            "movement": "new",
            "annual_minor": 12 * 77_777,
        },
    )
    insert(analytics, "cohort_revenue", cohort_revenue("2026-01", "2026-01", 77_777))
    insert(
        analytics,
        "cohort_month",
        cohort("2026-01", "2026-01", 77_777),
        cohort("2026-01", "2026-01", 77_777, basis="subscription"),
    )
    insert(
        analytics,
        "projection_checkpoints",
        {"tenant_id": "acme", "projection": "all", "events": 77_777, "last_event_at": "2026-01-30"},
    )
    return client


def ask(client: ApiClient, path: str, by: Claims, **event: Any) -> tuple[int, Any]:  # noqa: ANN401 - parts of an event
    bare, _, query = path.partition("?")
    answer = client.ask(bare, parse_qsl(query), by=by, **event)
    body = answer.body
    return answer.status, body.get("data", {name: body[name] for name in ("type", "detail") if name in body})


@pytest.mark.parametrize("path", PATHS)
def test_what_one_tenant_reads_the_other_does_not(analytics: Analytics, full: ApiClient, path: str) -> None:
    make_tenant(analytics, "empty")

    ours = full.ask(path.partition("?")[0])
    theirs = ask(full, path, claims("other"))
    nothing = ask(full, path, claims("empty"))

    assert "77777" in ours.text
    assert "77777" not in json.dumps(theirs)
    assert "moon" not in json.dumps(theirs)
    assert theirs == nothing


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["tenant", "tenant_id", "tenantId", "custom:tenant_id"])
def test_a_tenant_is_no_parameter(path: str, name: str) -> None:
    answer = ApiClient(out_of_reach()).ask(path.partition("?")[0], {name: "acme"}, by=claims("other"))

    assert answer.status == 422
    assert name in answer.errors


@pytest.mark.parametrize("path", PATHS)
def test_a_tenant_named_anywhere_but_in_the_token_is_ignored(full: ApiClient, path: str) -> None:
    plain = ask(full, path, claims("other"))
    forged = ask(
        full,
        path,
        claims("other") | {"tenant": "acme", "tenant_id": "acme"},
        headers={
            "x-tenant-id": "acme",
            "Authorization": "Bearer e30.eyJjdXN0b206dGVuYW50X2lkIjoiYWNtZSJ9.x",
            "cookie": "tenant=acme",
        },
        body=json.dumps({"tenant_id": "acme", "custom:tenant_id": "acme"}),
        stageVariables={"tenant_id": "acme"},
        pathParameters={"tenant": "acme", "proxy": "orders/o-1"},
        queryStringParameters={"tenant": "acme"},
    )

    assert forged == plain


@pytest.mark.parametrize("path", PATHS)
def test_questions_name_the_tenant_themselves_and_do_not_lean_on_the_policies_alone(
    analytics: Analytics, full: ApiClient, path: str
) -> None:
    unhindered = ApiClient(analytics.database(OWNER))

    assert ask(unhindered, path, claims("other")) == ask(full, path, claims("other"))


def test_the_same_id_of_two_tenants_is_two_orders(analytics: Analytics, full: ApiClient) -> None:
    insert(analytics, "orders", order("o-1", tenant_id="other"))

    for client in (full, ApiClient(analytics.database(OWNER))):
        values = client.ask("/api/orders/o-1", by=claims("other")).data

        assert (values["units"], values["items"], values["timeline"]) == (2, [], [])
        assert (values["payment"], values["fulfillment"]) == (None, None)


def test_an_order_of_another_tenant_is_told_like_one_that_is_not_there(full: ApiClient) -> None:
    foreign = full.ask("/api/orders/o-1", by=claims("other"))
    unknown = full.ask("/api/orders/o-2", by=claims("other"))

    assert foreign.status == 404
    assert foreign.text == unknown.text


def test_a_cursor_of_another_tenant_is_refused(analytics: Analytics, full: ApiClient) -> None:
    insert(analytics, "orders", order("o-0", at("2026-01-01")))
    cursor = full.ask("/api/orders", {"limit": 1}).body["page"]["nextCursor"]

    assert full.ask("/api/orders", {"limit": 1, "cursor": cursor}).status == 200
    assert full.ask("/api/orders", {"limit": 1, "cursor": cursor}, by=claims("other")).status == 400


def test_what_one_tenant_has_kept_is_not_good_for_another(analytics: Analytics, full: ApiClient) -> None:
    make_tenant(analytics, "empty")
    tag = full.ask("/api/metrics/mrr", by=claims("other")).headers["etag"]

    second = full.ask("/api/metrics/mrr", by=claims("empty"), headers={"if-none-match": tag})

    assert second.status == 200


def test_one_way_in_serves_tenants_by_turns_without_mixing_them(full: ApiClient) -> None:
    values = [
        len(full.ask("/api/orders", by=claims(tenant)).data["orders"])
        for tenant in ("acme", "other", "acme", "other")
    ]

    assert values == [1, 0, 1, 0]


def test_reads_are_on_record_with_the_reader_s_own_tenant(analytics: Analytics, full: ApiClient) -> None:
    full.ask("/api/metrics/mrr", by=claims("other"))

    assert analytics.rows("SELECT DISTINCT tenant_id FROM audit_logs") == [("other",)]
