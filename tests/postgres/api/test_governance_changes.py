"""Administrators change who sees which metric, and its rules; every change is on record."""

import threading
from collections.abc import Mapping
from contextlib import closing
from itertools import pairwise
from typing import Any, get_args

import pytest

from services.analytics.api.governance_changes import Metric
from services.analytics.api.routes import METRIC_ROUTES
from services.shared.database import API, Database
from tests.postgres.api.client import ADMIN, ApiClient, Claims, Reply, claims, insert, make_tenant, order
from tests.postgres.conftest import Analytics

JSON = {"content-type": "application/json"}
VIEWER = claims(role="viewer")


def patch(client: ApiClient, metric: str, body: str, by: Claims = ADMIN) -> Reply:
    return client.ask(f"/api/governance/{metric}", method="PATCH", body=body, headers=JSON, by=by)


def governance(client: ApiClient, by: Claims = ADMIN) -> Mapping[str, Any]:
    return {it["metric"]: it for it in client.ask("/api/governance", by=by).data["metrics"]}


def changes(analytics: Analytics) -> list[tuple[Any, ...]]:
    return analytics.rows(
        "SELECT tenant_id, user_id, role, metric, details FROM audit_logs WHERE action = 'change'"
        " ORDER BY entry"
    )


def test_the_metrics_of_the_api_are_those_that_a_tenant_begins_with(analytics: Analytics) -> None:
    begun = {metric for (metric,) in analytics.rows("SELECT metric FROM default_visibility()")}

    assert set(get_args(Metric)) == begun == {route.metric for route in METRIC_ROUTES}


@pytest.mark.parametrize("tenant", ["acme", "without-events"])
def test_a_tenant_begins_with_the_defaults(client: ApiClient, tenant: str) -> None:
    found = governance(client, claims(tenant))

    assert sorted(found) == sorted(get_args(Metric))
    assert found["mrr"] == {
        "metric": "mrr",
        "visibleTo": ["admin", "editor"],
        "audited": True,
        "smallestGroup": None,
        "customersHiddenFrom": [],
    }
    assert found["orders"]["customersHiddenFrom"] == ["viewer"]


def test_a_role_that_is_let_see_a_metric_sees_it_at_once(client: ApiClient) -> None:
    before = client.ask("/api/metrics/mrr", by=VIEWER).status
    changed = patch(client, "mrr", '{"visibleTo": ["viewer", "admin"]}')

    assert changed.data["visibleTo"] == ["admin", "viewer"]
    assert governance(client)["mrr"] == changed.data
    assert (before, client.ask("/api/metrics/mrr", by=VIEWER).status) == (403, 200)
    assert client.ask("/api/metrics/mrr", by=claims(role="editor")).status == 403


def test_rules_hold_at_once_and_can_be_taken_back(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"))

    def customer() -> object:
        return client.ask("/api/orders/o-1", by=VIEWER).data["customerId"]

    hidden = customer()
    patch(client, "orders", '{"customersHiddenFrom": []}')
    shown = customer()
    patch(client, "cohorts", '{"smallestGroup": 5, "audited": false}')

    assert (hidden, shown) == (None, "ann")
    assert governance(client)["cohorts"]["smallestGroup"] == 5
    assert governance(client)["cohorts"]["audited"] is False
    assert patch(client, "cohorts", '{"smallestGroup": null}').data["smallestGroup"] is None
    assert patch(client, "cohorts", '{"audited": true}').data["audited"] is True


def test_what_is_left_out_stays(client: ApiClient) -> None:
    before = governance(client)["orders"]

    after = patch(client, "orders", '{"audited": true}').data

    assert after == {**before, "audited": True}


def test_a_change_is_on_record_with_what_was_before_and_after(
    analytics: Analytics, client: ApiClient
) -> None:
    before = governance(client)["churn"]
    after = patch(client, "churn", '{"audited": false}').data
    patch(client, "churn", '{"audited": false}')

    assert changes(analytics) == [
        ("acme", "user-of-acme", "admin", "churn", {"before": before, "after": after})
    ]
    assert analytics.rows("SELECT first_broken_entry('acme')") == [(None,)]


def test_a_tenant_without_events_can_change_its_rules(analytics: Analytics, client: ApiClient) -> None:
    client.join("new", "user-of-new", "admin")
    new = claims("new")

    patch(client, "mrr", '{"audited": false, "visibleTo": ["admin"]}', by=new)
    # The projector finds the tenant, as for one whose first event comes later.
    with analytics.projector.transaction() as connection:
        connection.execute("INSERT INTO tenants (tenant_id) VALUES ('new') ON CONFLICT DO NOTHING")

    assert governance(client, new)["mrr"]["visibleTo"] == ["admin"]
    assert governance(client, new)["mrr"]["audited"] is False
    assert governance(client, new)["churn"]["audited"] is True
    assert governance(client)["mrr"]["audited"] is True


@pytest.mark.parametrize("role", ["editor", "viewer", "machine"])
def test_only_administrators_see_and_change_governance(
    analytics: Analytics, client: ApiClient, role: str
) -> None:
    caller = claims(role=role, **{"custom:scopes": "metrics:read orders:write"})

    assert client.ask("/api/governance", by=caller).status == 403
    assert patch(client, "mrr", '{"audited": false}', by=caller).status == 403
    assert changes(analytics) == []


@pytest.mark.parametrize("now", ["editor", None])
def test_an_administrator_who_is_none_any_more_changes_nothing(
    analytics: Analytics, client: ApiClient, now: str | None
) -> None:
    client.members.clear()
    if now is not None:
        client.join("acme", "user-of-acme", now)

    assert patch(client, "mrr", '{"audited": false}').status == 403
    assert changes(analytics) == []


def test_an_administrator_of_another_tenant_changes_nothing_here(client: ApiClient) -> None:
    foreign = claims("other", sub="user-of-acme")

    assert patch(client, "mrr", '{"audited": false}', by=foreign).status == 403
    assert governance(client)["mrr"]["audited"] is True


@pytest.mark.parametrize(
    ("metric", "body", "status", "parameter"),
    [
        ("mrr", "{}", 422, "body"),
        ("mrr", '{"visibleTo": ["owner"]}', 422, "visibleTo.0"),
        ("mrr", '{"visibleTo": null}', 422, "visibleTo"),
        ("mrr", '{"audited": "no"}', 422, "audited"),
        ("mrr", '{"smallestGroup": 3}', 422, "smallestGroup"),
        ("mrr", '{"customersHiddenFrom": ["viewer"]}', 422, "customersHiddenFrom"),
        ("cohorts", '{"smallestGroup": 0}', 422, "smallestGroup"),
        ("cohorts", '{"smallestGroup": true}', 422, "smallestGroup"),
        ("cohorts", '{"tenantId": "other"}', 422, "tenantId"),
        ("profit", '{"audited": true}', 422, "metric"),
        ("mrr", "{", 400, None),
        ("mrr", '{"audited": true, "audited": false}', 400, None),
        ("mrr", f'{{"visibleTo": [{" " * 8_192}]}}', 413, None),
    ],
)
def test_what_cannot_be_meant_is_refused(
    client: ApiClient, metric: str, body: str, status: int, parameter: str | None
) -> None:
    before = governance(client)

    refused = patch(client, metric, body)

    assert refused.status == status, refused.text
    assert parameter is None or parameter in refused.errors
    assert governance(client) == before


def test_changes_at_once_each_record_what_was_before_them(analytics: Analytics, client: ApiClient) -> None:
    def change(value: str) -> None:
        with closing(analytics.connect(API)) as connection:
            other = ApiClient(Database(lambda: connection))
            patch(other, "mrr", f'{{"visibleTo": {value}}}')

    values = ['["admin"]', '["admin", "viewer"]', "[]", '["editor"]'] * 3
    threads = [threading.Thread(target=change, args=(it,)) for it in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    recorded = [details for *_, details in changes(analytics)]
    assert len(recorded) >= 4
    for earlier, later in pairwise(recorded):
        assert later["before"] == earlier["after"]
    assert governance(client)["mrr"] == recorded[-1]["after"]


def test_an_administrator_cannot_lock_everyone_out(analytics: Analytics, client: ApiClient) -> None:
    make_tenant(analytics, "other")
    patch(client, "orders", '{"visibleTo": []}')

    assert client.ask("/api/orders").status == 403
    assert patch(client, "orders", '{"visibleTo": ["admin"]}').status == 200
    assert client.ask("/api/orders").status == 200
