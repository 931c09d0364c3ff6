"""ETags: a cached response is reused for as long as it is current."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from tests.postgres.api.client import ApiClient, claims, insert, moved, rule
from tests.postgres.conftest import Analytics

CACHEABLE = (
    "/api/metrics/mrr",
    "/api/metrics/churn",
    "/api/metrics/mrr/history",
    "/api/metrics/churn/history",
    "/api/metrics/mrr/movements",
    "/api/metrics/indicators",
    "/api/metrics/cohorts/revenue",
    "/api/metrics/cohorts",
    "/api/metrics/summary",
    "/api/pipeline/by-region",
    "/api/pipeline/by-product",
    "/api/sales/history",
    "/api/sales/by-region",
    "/api/sales/by-channel",
    "/api/sales/by-product",
)


def tag_of(client: ApiClient, path: str = "/api/metrics/mrr") -> str:
    return client.ask(path).headers["etag"]


def project(analytics: Analytics, events: int = 1, last: str = "2026-01-30T10:00:00Z") -> None:
    """Let a projection have come so far."""
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO projection_checkpoints (tenant_id, projection, events, last_event_at)"
            " VALUES ('acme', 'all', %s, %s) ON CONFLICT (tenant_id, projection)"
            " DO UPDATE SET events = excluded.events, last_event_at = excluded.last_event_at",
            [events, last],
        )


@pytest.mark.parametrize("path", CACHEABLE)
def test_an_answer_that_still_holds_is_not_told_again(client: ApiClient, path: str) -> None:
    first = client.ask(path)

    second = client.ask(path, headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "private, max-age=0, must-revalidate"
    assert first.headers["vary"] == "Accept, Authorization, Origin"
    assert (second.status, second.text) == (304, "")
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("spelled", ["*", "W/{}", '"other", {}', '"other",W/{} , "more"'])
def test_what_a_reader_has_may_be_spelled_in_many_ways(client: ApiClient, spelled: str) -> None:
    tag = tag_of(client)

    assert client.ask("/api/metrics/mrr", headers={"if-none-match": spelled.format(tag)}).status == 304


@pytest.mark.parametrize("spelled", ["", '"other"', "other", 'W/"other"', "**"])
def test_something_else_is_told_anew(client: ApiClient, spelled: str) -> None:
    assert client.ask("/api/metrics/mrr", headers={"if-none-match": spelled}).status == 200


CHANGES: dict[str, Callable[[Analytics, ApiClient], object]] = {
    "one more event": lambda analytics, _: project(analytics, events=2),
    "a newer event": lambda analytics, _: project(analytics, last="2026-01-30T10:00:00.000001Z"),
    "another day": lambda _, client: client.clock.advance(timedelta(hours=13)),
    "another rule": lambda analytics, _: insert(
        analytics, "governance_rules", rule("cohorts", "smallest_group", 5)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_may_have_changed_is_told_anew(analytics: Analytics, client: ApiClient, change: str) -> None:
    project(analytics)
    path, months, still = (
        "/api/metrics/cohorts",
        {"from": "2026-01", "to": "2026-06"},
        claims(exp="9999999999"),
    )
    tag = client.ask(path, months).headers["etag"]

    CHANGES[change](analytics, client)
    second = client.ask(path, months, by=still, headers={"if-none-match": tag})

    assert second.status == 200
    assert second.headers["etag"] != tag


def test_other_questions_and_other_roles_have_other_tags(client: ApiClient) -> None:
    tags = {
        client.ask(path, query, by=claims(role=role)).headers["etag"]
        for role in ("admin", "editor")
        for path, query in [
            ("/api/metrics/mrr", {}),
            ("/api/metrics/mrr", {"month": "2025-12"}),
            ("/api/metrics/churn", {}),
            ("/api/pipeline/by-product", {"limit": "1"}),
            ("/api/pipeline/by-product", {"limit": "2"}),
        ]
    }

    assert len(tags) == 10


def test_a_default_is_the_same_question_as_the_value_it_stands_for(client: ApiClient) -> None:
    spelled = client.ask("/api/metrics/mrr", {"month": "2026-01"})

    assert spelled.headers["etag"] == tag_of(client)


@pytest.mark.spoils_the_schema
def test_rows_are_not_looked_up_for_what_the_reader_has(analytics: Analytics, client: ApiClient) -> None:
    tag = tag_of(client)
    with closing(analytics.connect()) as owner:
        owner.execute("DROP TABLE mrr_month")

    assert client.ask("/api/metrics/mrr", headers={"if-none-match": tag}).status == 304


def test_what_is_confirmed_is_on_record_like_what_is_told(analytics: Analytics, client: ApiClient) -> None:
    tag = tag_of(client)
    client.ask("/api/metrics/mrr", headers={"if-none-match": tag})

    assert analytics.rows("SELECT count(*) FROM audit_logs") == [(2,)]


def test_what_is_no_longer_visible_is_refused_even_to_whoever_has_it(
    analytics: Analytics, client: ApiClient
) -> None:
    tag = tag_of(client)
    with closing(analytics.connect()) as owner:
        owner.execute("UPDATE role_metric_visibility SET visible = false")

    assert client.ask("/api/metrics/mrr", headers={"if-none-match": tag}).status == 403


def test_an_answer_says_how_far_the_projection_was(analytics: Analytics, client: ApiClient) -> None:
    before = client.ask("/api/metrics/mrr").body["meta"]
    project(analytics)
    insert(analytics, "mrr_month", moved("2026-01", "new", 12))

    after = client.ask("/api/metrics/mrr").body["meta"]

    assert before == {
        "tenant": "acme",
        "asOf": None,
        "generatedAt": "2026-01-31T12:00:00.000Z",
        "requestId": "request-1",
        "withheld": None,
    }
    assert after["asOf"] == "2026-01-30T10:00:00.000Z"


@pytest.mark.parametrize("path", ["/api/orders", "/api/sales/last-month"])
def test_what_is_live_is_never_kept(client: ApiClient, path: str) -> None:
    answer = client.ask(path, headers={"if-none-match": "*"})

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
