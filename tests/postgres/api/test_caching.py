"""What a reader has already is not told again, as long as it is still true."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest

from tests.postgres.api.client import OpsContext, claims, insert, moved, rule
from tests.postgres.conftest import Analytics

KEPT = (
    "/api/metrics/mrr",
    "/api/metrics/churn",
    "/api/metrics/cohorts",
    "/api/metrics/summary",
    "/api/pipeline/by-region",
    "/api/pipeline/by-product",
)


def tag_of(ops: OpsContext, path: str = "/api/metrics/mrr") -> str:
    return ops.ask(path).headers["etag"]


def project(analytics: Analytics, events: int = 1, last: str = "2026-01-30T10:00:00Z") -> None:
    """Let a projection have come so far."""
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO projection_checkpoints (tenant_id, projection, events, last_event_at)"
            " VALUES ('acme', 'all', %s, %s) ON CONFLICT (tenant_id, projection)"
            " DO UPDATE SET events = excluded.events, last_event_at = excluded.last_event_at",
            [events, last],
        )


@pytest.mark.parametrize("path", KEPT)
def test_an_answer_that_still_holds_is_not_told_again(ops: OpsContext, path: str) -> None:
    values = ops.ask(path)

    again = ops.ask(path, headers={"If-None-Match": values.headers["etag"]})

    assert values.headers["cache-control"] == "private, max-age=0, must-revalidate"
    assert values.headers["vary"] == "Authorization, Origin"
    assert (again.status, again.text) == (304, "")
    assert again.headers["etag"] == values.headers["etag"]
    assert again.headers["cache-control"] == values.headers["cache-control"]


@pytest.mark.parametrize("spelled", ["*", "W/{}", '"other", {}', '"other",W/{} , "more"'])
def test_what_a_reader_has_may_be_spelled_in_many_ways(ops: OpsContext, spelled: str) -> None:
    tag = tag_of(ops)

    assert ops.ask("/api/metrics/mrr", headers={"if-none-match": spelled.format(tag)}).status == 304


@pytest.mark.parametrize("spelled", ["", '"other"', "other", 'W/"other"', "**"])
def test_something_else_is_told_anew(ops: OpsContext, spelled: str) -> None:
    assert ops.ask("/api/metrics/mrr", headers={"if-none-match": spelled}).status == 200


CHANGES: dict[str, Callable[[Analytics, OpsContext], object]] = {
    "one more event": lambda analytics, _: project(analytics, events=2),
    "a newer event": lambda analytics, _: project(analytics, last="2026-01-30T10:00:00.000001Z"),
    "another day": lambda _, ops: ops.clock.advance(timedelta(hours=13)),
    "another rule": lambda analytics, _: insert(
        analytics, "governance_rules", rule("cohorts", "smallest_group", 5)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_may_have_changed_is_told_anew(analytics: Analytics, ops: OpsContext, change: str) -> None:
    project(analytics)
    path, months, still = (
        "/api/metrics/cohorts",
        {"from": "2026-01", "to": "2026-06"},
        claims(exp="9999999999"),
    )
    tag = ops.ask(path, months).headers["etag"]

    CHANGES[change](analytics, ops)
    again = ops.ask(path, months, by=still, headers={"if-none-match": tag})

    assert again.status == 200
    assert again.headers["etag"] != tag


def test_other_questions_and_other_roles_have_other_tags(ops: OpsContext) -> None:
    tags = {
        ops.ask(path, query, by=claims(role=f"[{role}]")).headers["etag"]
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


def test_a_default_is_the_same_question_as_the_value_it_stands_for(ops: OpsContext) -> None:
    spelled = ops.ask("/api/metrics/mrr", {"month": "2026-01"})

    assert spelled.headers["etag"] == tag_of(ops)


@pytest.mark.spoils_the_schema
def test_rows_are_not_looked_up_for_what_the_reader_has(analytics: Analytics, ops: OpsContext) -> None:
    tag = tag_of(ops)
    with closing(analytics.connect()) as owner:
        owner.execute("DROP TABLE mrr_month")

    assert ops.ask("/api/metrics/mrr", headers={"if-none-match": tag}).status == 304


def test_what_is_confirmed_is_on_record_like_what_is_told(analytics: Analytics, ops: OpsContext) -> None:
    tag = tag_of(ops)
    ops.ask("/api/metrics/mrr", headers={"if-none-match": tag})

    assert analytics.rows("SELECT count(*) FROM audit_logs") == [(2,)]


def test_what_is_no_longer_visible_is_refused_even_to_whoever_has_it(
    analytics: Analytics, ops: OpsContext
) -> None:
    tag = tag_of(ops)
    with closing(analytics.connect()) as owner:
        owner.execute("UPDATE role_metric_visibility SET visible = false")

    assert ops.ask("/api/metrics/mrr", headers={"if-none-match": tag}).status == 403


def test_an_answer_says_how_far_the_projection_was(analytics: Analytics, ops: OpsContext) -> None:
    before = ops.ask("/api/metrics/mrr").body["meta"]
    project(analytics)
    insert(analytics, "mrr_month", moved("2026-01", "new", 12))

    after = ops.ask("/api/metrics/mrr").body["meta"]

    assert before == {
        "tenant": "acme",
        "asOf": None,
        "generatedAt": "2026-01-31T12:00:00.000Z",
        "requestId": "request-1",
        "withheld": None,
    }
    assert after["asOf"] == "2026-01-30T10:00:00.000Z"


@pytest.mark.parametrize("path", ["/api/orders", "/api/sales/last-month"])
def test_what_is_live_is_never_kept(ops: OpsContext, path: str) -> None:
    answer = ops.ask(path, headers={"if-none-match": "*"})

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
