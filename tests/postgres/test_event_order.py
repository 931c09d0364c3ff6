"""However often and in whatever order events come, the same rows follow, and sums that are their sums."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from services.analytics.admin import reset
from services.analytics.projector.service import Projector
from services.shared.events import Event
from tests.postgres.conftest import Analytics
from tests.postgres.event_histories import DemoData
from tests.postgres.events import messages
from tests.postgres.reference_model import QUERIES, STORED
from tests.support.fakes import RecordingTelemetry

Everything = dict[str, list[tuple[Any, ...]]]


def project(analytics: Analytics, batches: Iterable[Sequence[Event]]) -> None:
    projector = Projector(analytics.projector, RecordingTelemetry())
    for batch in batches:
        assert projector.handle(messages(batch)) == ()


def everything(analytics: Analytics) -> Everything:
    """Read every table that follows from events, but for when its rows were written."""
    found: Everything = {}
    for table in reset.DERIVED_TABLES:
        columns = analytics.rows(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND attname NOT IN ('created_at', 'updated_at')",
            table,
        )[0][0]
        # Ordered by all of it: two rows of one key would be a fault, and be seen.
        found[table] = sorted(analytics.rows(f"SELECT {columns} FROM {table}"), key=repr)
    return found


def check_sums(analytics: Analytics) -> None:
    for rollup, query in QUERIES.items():
        assert sorted(analytics.rows(STORED[rollup])) == sorted(analytics.rows(query)), rollup
    by_day = "SELECT tenant_id, day, currency, sum(units), sum(revenue_minor) FROM {} GROUP BY 1, 2, 3"
    sold = "HAVING sum(units) <> 0 OR sum(revenue_minor) <> 0 ORDER BY 1, 2, 3"
    by_region, by_product = (
        analytics.rows(f"{by_day.format(table)} {sold}") for table in ("sales_daily", "product_daily")
    )
    assert by_region == by_product


def empty(analytics: Analytics) -> None:
    with closing(analytics.connect()) as owner:
        reset.empty(owner)


@pytest.mark.parametrize("seed", range(12))
def test_shuffled_and_repeated_events_make_the_rows_that_one_batch_in_order_makes(
    rated: Analytics, seed: int
) -> None:
    history = DemoData(seed)
    events = history.events(orders=25, contracts=20)
    project(rated, [events])
    in_order = everything(rated)
    check_sums(rated)
    empty(rated)

    project(rated, history.batches(events))

    assert everything(rated) == in_order
    check_sums(rated)


@pytest.mark.parametrize("seed", range(100, 104))
def test_two_who_project_at_once_make_the_rows_that_one_makes(rated: Analytics, seed: int) -> None:
    history = DemoData(seed)
    events = history.events(orders=40, contracts=30)
    project(rated, [events])
    alone = everything(rated)
    empty(rated)
    # Both get every event, in different orders, so that they contend for each subject.
    shares = [history.batches(events), history.batches(events)]

    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(lambda share: project(rated, share), shares))

    assert everything(rated) == alone
    check_sums(rated)


def test_a_history_makes_some_of_everything(rated: Analytics) -> None:
    project(rated, [DemoData(0).events(orders=25, contracts=20)])

    found = everything(rated)

    assert {table for table, rows in found.items() if not rows} == set()
    assert {row[3] for row in found["orders"]} == {
        *("PLACED", "RESERVED", "CONFIRMED", "REJECTED", "CANCELLED", "REFUNDED")
    }
    assert {row[3] for row in found["mrr_movements"]} == {
        *("new", "expansion", "contraction", "churn", "reactivation")
    }
    assert any(row[5] for row in found["mrr_movements"])


def test_told_again_from_the_beginning_nothing_changes(rated: Analytics) -> None:
    events = DemoData(7).events(orders=20, contracts=10)
    project(rated, [events])
    before = everything(rated)
    written = rated.rows("SELECT max(updated_at) FROM orders")

    project(rated, [events[::-1], events])

    assert everything(rated) == before
    assert rated.rows("SELECT max(updated_at) FROM orders") == written
