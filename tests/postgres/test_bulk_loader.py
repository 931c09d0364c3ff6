"""Bulk loading produces, row for row, what the projector makes of the same events."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.demo_data import bulk_loader, loader
from scripts.demo_data.generator import DemoData
from scripts.local import database
from services.analytics.admin import reset
from services.analytics.projector.service import Projector
from services.shared.database import OWNER
from services.shared.messages import Delivery
from tests.postgres.conftest import Analytics
from tests.support.fakes import RecordingTelemetry

ACME = DemoData(
    orders=700,
    customers=90,
    months=15,
    seed=3,
    tenant="acme",
    until=datetime(2026, 11, 21, 15, 30, tzinfo=UTC),
)
GLOBEX = replace(ACME, orders=300, customers=60, months=5, seed=4, tenant="globex")
TABLES = (*reset.DERIVED_TABLES, "tenants", "fx_rates")

Rows = dict[str, list[tuple[Any, ...]]]


def _nothing(_message: str) -> None: ...


def _load(analytics: Analytics, data: DemoData, *, workers: int = 1) -> None:
    bulk_loader.load(data, analytics.server.dsn(analytics.name, OWNER), workers=workers, progress=_nothing)


def _rows(analytics: Analytics) -> Rows:
    """Read every table whole, but for when its rows were written."""
    columns = analytics.rows(
        "SELECT table_name, string_agg(format('%%I', column_name), ', ' ORDER BY ordinal_position)"
        " FROM information_schema.columns WHERE table_name = ANY(%s)"
        " AND column_name NOT IN ('created_at', 'updated_at') GROUP BY table_name",
        list(TABLES),
    )
    return {
        table: analytics.rows(f"SELECT {those} FROM {table} ORDER BY {those}") for table, those in columns
    }


def _project_shuffled(analytics: Analytics, data_sets: list[DemoData]) -> None:
    events = [event for data in data_sets for event in data.events()]
    Random(11).shuffle(events)  # noqa: S311 - a repeatable shuffle
    projector = Projector(analytics.projector, RecordingTelemetry())
    for start in range(0, len(events), 100):
        batch = [Delivery(str(n), event) for n, event in enumerate(events[start : start + 100])]
        assert not projector.handle(batch)


def test_bulk_makes_the_rows_that_the_projector_makes_of_the_same_events_shuffled(
    analytics: Analytics,
) -> None:
    _load(analytics, ACME)
    _load(analytics, GLOBEX)
    in_bulk = _rows(analytics)
    with closing(analytics.connect()) as owner:
        reset.empty(owner)

    _project_shuffled(analytics, [GLOBEX, ACME])

    projected = _rows(analytics)
    assert {table for table, rows in in_bulk.items() if rows} == set(TABLES)
    for table in TABLES:
        assert in_bulk[table] == projected[table], table


def test_two_processes_make_the_rows_of_one(analytics: Analytics) -> None:
    data = replace(ACME, orders=1_500, customers=50_000, months=2)
    _load(analytics, data)
    alone = _rows(analytics)
    with closing(analytics.connect()) as owner:
        reset.empty(owner)

    _load(analytics, data, workers=2)

    assert _rows(analytics) == alone


def test_a_past_seeded_event_by_event_is_the_one_laid_down_in_bulk(analytics: Analytics) -> None:
    owner = analytics.server.dsn(analytics.name, OWNER)
    project = Projector(analytics.projector, RecordingTelemetry()).handle

    one_by_one = loader.seed(GLOBEX, owner, project, in_bulk=False, progress=_nothing)
    first = _rows(analytics)
    with closing(analytics.connect()) as connection:
        reset.empty(connection)
    in_bulk = loader.seed(GLOBEX, owner, project, in_bulk=True, progress=_nothing)

    assert _rows(analytics) == first
    assert one_by_one == in_bulk
    assert in_bulk.orders == GLOBEX.orders
    assert in_bulk.events == len(first["event_inbox"])


def test_seeding_twice_changes_nothing(analytics: Analytics) -> None:
    owner = analytics.server.dsn(analytics.name, OWNER)
    project = Projector(analytics.projector, RecordingTelemetry()).handle
    loader.seed(GLOBEX, owner, project, in_bulk=False, progress=_nothing)
    first = _rows(analytics)

    loader.seed(GLOBEX, owner, project, in_bulk=False, progress=_nothing)

    assert _rows(analytics) == first


def test_bulk_is_refused_where_a_tenant_has_a_past(analytics: Analytics) -> None:
    _load(analytics, GLOBEX)
    before = _rows(analytics)

    with pytest.raises(ToolError, match="tenant 'globex' has events already"):
        _load(analytics, replace(GLOBEX, seed=9))

    assert _rows(analytics) == before


def test_a_part_that_a_broken_off_load_left_behind_is_not_taken_for_a_past(analytics: Analytics) -> None:
    owner = analytics.server.dsn(analytics.name, OWNER)
    _load(analytics, GLOBEX)
    with closing(analytics.connect()) as connection:
        # What is copied in last: sums, and how far the projection is.
        connection.execute("DELETE FROM sales_daily")
        connection.execute("DELETE FROM projection_checkpoints")
    project = Projector(analytics.projector, RecordingTelemetry()).handle

    with pytest.raises(ToolError, match="an earlier seed of tenant 'globex' was interrupted"):
        loader.seed(GLOBEX, owner, project, in_bulk=False, progress=_nothing)


def test_a_tenant_that_reports_in_another_currency_is_refused(analytics: Analytics) -> None:
    with closing(analytics.connect()) as owner:
        owner.execute("INSERT INTO tenants (tenant_id, reporting_currency) VALUES ('globex', 'EUR')")

    with pytest.raises(ToolError, match="does not report in USD"):
        _load(analytics, GLOBEX)


def test_a_local_database_that_does_not_answer_is_said_in_a_sentence() -> None:
    with pytest.raises(
        ToolError, match=r"^PostgreSQL of the local stack does not answer; start it with `make up`\.$"
    ):
        database.seed("postgresql://127.0.0.1:1/pulsequeue", GLOBEX, _nothing)


def test_what_the_projector_is_not_able_to_take_is_said(analytics: Analytics) -> None:
    owner = analytics.server.dsn(analytics.name, OWNER)

    with pytest.raises(ToolError, match="1 of 100 events could not be projected"):
        loader.seed(GLOBEX, owner, lambda these: {these[0].message_id}, in_bulk=False, progress=_nothing)


@pytest.mark.spoils_the_schema
def test_policies_hold_for_the_owner_again_when_bulk_has_ended_or_failed(analytics: Analytics) -> None:
    with closing(analytics.connect()) as owner:
        owner.execute("ALTER TABLE payments ADD CONSTRAINT never CHECK (amount_minor < 0)")

    with pytest.raises(Exception, match="never"):
        _load(analytics, GLOBEX)

    open_ones = "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
    assert analytics.rows(open_ones) == []


def test_the_projector_carries_on_where_bulk_ended(analytics: Analytics) -> None:
    later = replace(GLOBEX, orders=200, seed=5)
    _load(analytics, GLOBEX)
    _project_shuffled(analytics, [later])
    carried_on = _rows(analytics)
    with closing(analytics.connect()) as owner:
        reset.empty(owner)

    _project_shuffled(analytics, [GLOBEX, later])

    assert _rows(analytics) == carried_on
