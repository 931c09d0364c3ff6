"""Which role sees which metric, and what is audited."""

from contextlib import closing

import pytest

from services.shared.database import OWNER
from tests.postgres.api.client import ApiClient, claims, insert, make_tenant, order, rule
from tests.postgres.conftest import Analytics
from tests.support.fakes import START

METRICS = {
    "/api/orders": "orders",
    "/api/orders/o-1": "orders",
    "/api/metrics/mrr": "mrr",
    "/api/metrics/churn": "churn",
    "/api/metrics/mrr/history": "mrr",
    "/api/metrics/churn/history": "churn",
    "/api/metrics/mrr/movements": "mrr",
    "/api/inventory": "pipeline",
    "/api/metrics/cohorts": "cohorts",
    "/api/metrics/summary": "summary",
    "/api/pipeline/by-region": "pipeline",
    "/api/pipeline/by-product": "pipeline",
    "/api/sales/last-month": "sales",
    "/api/sales/history": "sales",
    "/api/sales/by-region": "sales",
    "/api/sales/by-channel": "sales",
    "/api/sales/by-product": "sales",
}


def execute_as_owner(analytics: Analytics, statement: str, *values: object) -> None:
    with closing(analytics.connect(OWNER)) as owner:
        owner.execute(statement.encode(), values)


def entries(analytics: Analytics) -> list[tuple[object, ...]]:
    return analytics.rows(
        "SELECT tenant_id, user_id, role, action, metric, details FROM audit_logs ORDER BY entry"
    )


@pytest.mark.parametrize(("path", "metric"), METRICS.items())
def test_what_is_not_visible_to_a_role_is_refused_to_it_alone(
    analytics: Analytics, client: ApiClient, path: str, metric: str
) -> None:
    insert(analytics, "orders", order("o-1"))
    execute_as_owner(
        analytics,
        "UPDATE role_metric_visibility SET visible = false WHERE role = 'editor' AND metric = %s",
        metric,
    )

    refused = client.ask(path, by=claims(role="editor"))
    others = [client.ask(other, by=claims(role="editor")) for other, its in METRICS.items() if its != metric]

    assert refused.status == 403
    assert metric in refused.body["detail"]
    assert {other.status for other in others} == {200}
    assert client.ask(path).status == 200


def test_what_is_not_listed_is_not_seen(analytics: Analytics, client: ApiClient) -> None:
    execute_as_owner(analytics, "DELETE FROM role_metric_visibility WHERE metric = 'sales'")

    assert client.ask("/api/sales/last-month").status == 403


def test_a_tenant_without_events_gets_empty_responses_under_the_default_rules(
    analytics: Analytics, client: ApiClient
) -> None:
    make_tenant(analytics, "set-up")

    for path in METRICS:
        for role in ("admin", "editor", "viewer"):
            unknown, set_up = (client.ask(path, by=claims(tenant, role)) for tenant in ("unknown", "set-up"))
            assert unknown.status == set_up.status, path
            assert unknown.body.get("data") == set_up.body.get("data"), path
    audited = analytics.rows("SELECT metric, role FROM audit_logs WHERE tenant_id = 'unknown' ORDER BY 1, 2")
    assert audited == analytics.rows(
        "SELECT metric, role FROM audit_logs WHERE tenant_id = 'set-up' ORDER BY 1, 2"
    )
    assert ("mrr", "admin") in audited
    assert client.ask("/api/metrics/mrr", by=claims("unknown")).data["closing"]["customers"] == 0


def test_viewers_see_no_recurring_revenue_unless_they_are_let(
    analytics: Analytics, client: ApiClient
) -> None:
    viewer = claims(role="viewer")
    before = client.ask("/api/metrics/mrr", by=viewer).status
    execute_as_owner(analytics, "UPDATE role_metric_visibility SET visible = true WHERE metric = 'mrr'")

    after = client.ask("/api/metrics/mrr", by=viewer).status

    assert (before, after) == (403, 200)


def test_a_governed_read_is_on_record_with_who_read_what(analytics: Analytics, client: ApiClient) -> None:
    client.ask("/api/metrics/mrr", {"month": "2025-12"})
    client.ask("/api/metrics/cohorts", by=claims(role="viewer", sub="someone"))

    assert entries(analytics) == [
        (
            "acme",
            "user-of-acme",
            "admin",
            "read",
            "mrr",
            {"route": "/api/metrics/mrr", "parameters": {"month": "2025-12-01"}},
        ),
        (
            "acme",
            "someone",
            "viewer",
            "read",
            "cohorts",
            {
                "route": "/api/metrics/cohorts",
                "parameters": {"basis": "order", "months": {"start": "2025-02-01", "end": "2026-02-01"}},
            },
        ),
    ]
    assert analytics.rows("SELECT user_id, role, last_seen_at FROM users ORDER BY 1") == [
        ("someone", "viewer", START),
        ("user-of-acme", "admin", START),
    ]
    assert analytics.rows("SELECT first_broken_entry('acme')") == [(None,)]


def test_whoever_comes_again_is_known_by_his_newest_role(analytics: Analytics, client: ApiClient) -> None:
    client.ask("/api/metrics/mrr")
    client.ask("/api/metrics/mrr", by=claims(role="editor"))

    assert analytics.rows("SELECT user_id, role FROM users") == [("user-of-acme", "editor")]


def test_other_reads_leave_no_trace(analytics: Analytics, client: ApiClient) -> None:
    insert(analytics, "orders", order("o-1"))

    ungoverned = [path for path, metric in METRICS.items() if metric not in {"mrr", "churn", "cohorts"}]

    assert {client.ask(path).status for path in ungoverned} == {200}
    assert entries(analytics) == []
    assert analytics.rows("SELECT * FROM users") == []


def test_a_read_that_is_refused_or_not_understood_is_none(analytics: Analytics, client: ApiClient) -> None:
    client.ask("/api/metrics/mrr", by=claims(role="viewer"))
    client.ask("/api/metrics/mrr", {"month": "2026-13"})

    assert entries(analytics) == []


def test_looking_for_an_order_that_is_not_there_is_a_read_where_orders_are_governed(
    analytics: Analytics, client: ApiClient
) -> None:
    insert(analytics, "governance_rules", rule("orders", "audited"))

    answer = client.ask("/api/orders/nothing")

    assert answer.status == 404
    assert [entry[-1] for entry in entries(analytics)] == [
        {"route": "/api/orders/{orderId}", "parameters": {"order_id": "nothing"}}
    ]


@pytest.mark.spoils_the_schema
def test_a_read_that_cannot_be_put_on_record_is_not_answered(analytics: Analytics, client: ApiClient) -> None:
    execute_as_owner(analytics, "REVOKE INSERT ON audit_logs FROM pulsequeue_api")
    execute_as_owner(
        analytics,
        "REVOKE INSERT (tenant_id, user_id, role, action, metric, details) ON audit_logs FROM pulsequeue_api",
    )

    answer = client.ask("/api/metrics/mrr")

    assert answer.status == 500
    assert "opening" not in answer.text
    assert "audit_logs" not in answer.text
    assert len(client.telemetry.errors) == 1
    assert analytics.rows("SELECT * FROM users") == []


def test_rules_of_one_tenant_do_not_hold_for_another(analytics: Analytics, client: ApiClient) -> None:
    make_tenant(analytics, "other")
    insert(analytics, "governance_rules", rule("sales", "audited", tenant="other"))

    client.ask("/api/sales/last-month")

    assert entries(analytics) == []


def test_a_machine_reads_with_its_scopes_what_an_editor_may(analytics: Analytics, client: ApiClient) -> None:
    orders = claims(role="machine", sub="shop", **{"custom:scopes": "orders:read"})
    metrics = claims(role="machine", sub="report", **{"custom:scopes": "metrics:read"})

    assert client.ask("/api/orders", by=orders).status == 200
    assert client.ask("/api/metrics/mrr", by=orders).status == 403
    assert client.ask("/api/orders", by=metrics).status == 403
    assert client.ask("/api/metrics/mrr", by=metrics).status == 200
    assert analytics.rows("SELECT user_id, role FROM audit_logs") == [("report", "machine")]
