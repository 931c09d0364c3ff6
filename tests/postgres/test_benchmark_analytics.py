"""The benchmark of the API compares like with like: the same results, with rollups and without."""

from datetime import UTC, date, datetime

import pytest

from benchmarks.fixtures import raw_queries as raw
from scripts.demo_data import bulk_loader
from scripts.demo_data.generator import DemoData
from services.analytics.model.date_ranges import Months, later
from services.analytics.queries import cohorts, mrr
from services.analytics.queries.params import CohortsQuery
from services.shared.database import OWNER
from tests.postgres.conftest import Analytics

DATA_SET = DemoData(
    orders=1_500, customers=900, months=14, seed=6, tenant="acme", until=datetime(2026, 6, 20, 12, tzinfo=UTC)
)
MONTHS = Months(date(2025, 5, 1), date(2026, 7, 1))


@pytest.fixture
def demo_data(analytics: Analytics) -> Analytics:
    bulk_loader.load(
        DATA_SET, analytics.server.dsn(analytics.name, OWNER), workers=1, progress=lambda _text: None
    )
    return analytics


def _net(movements: raw.Movements) -> dict[str, object]:
    """Fold what the raw query cannot tell apart: it compares in the reporting currency, rates included."""
    change = {"expansion": 1, "contraction": -1, "exchange": 1}
    net = sum(sign * movements[name][1] for name, sign in change.items() if name in movements)
    return {**{name: it for name, it in movements.items() if name not in change}, "net change": net}


def test_recurring_revenue_moves_alike_in_every_month(demo_data: Analytics) -> None:
    seen: set[str] = set()

    with demo_data.api.transaction("acme") as connection:
        for month in MONTHS.each():
            from_tables = raw.movements(connection, "acme", month)
            seen |= set(from_tables)
            from_rollups = raw.as_movements(mrr.revenue_month(connection, "acme", month))
            assert _net(from_rollups) == _net(from_tables)

    assert seen == {"opening", "new", "expansion", "contraction", "churn", "reactivation"}


@pytest.mark.parametrize("start", [MONTHS.start, date(2026, 2, 1)])
def test_cohorts_are_alike(demo_data: Analytics, start: date) -> None:
    months = Months(start, later(MONTHS.end, -1))

    with demo_data.api.transaction("acme") as connection:
        from_tables = raw.cohorts(connection, "acme", months)
        from_rollups = cohorts.cohorts(connection, "acme", CohortsQuery("order", months), date(2026, 6, 20))

    active = {(it.month, month): active for it in from_rollups for month, active in it.active if active}
    assert active == from_tables
    assert len({cohort for cohort, _ in from_tables}) == months.count
