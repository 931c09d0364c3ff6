"""What the benchmark of the API compares is alike: the same answers, with rollups and without."""

from datetime import UTC, date, datetime

import pytest

from benchmarks.fixtures import raw_queries as raw
from scripts.demo_data import bulk_loader
from scripts.demo_data.generator import DemoData
from services.analytics.model.date_ranges import Months, later
from services.analytics.queries import cohorts, mrr
from services.analytics.queries.params import CohortsWanted
from services.analytics.settings import OWNER
from tests.postgres.conftest import Analytics

PAST = DemoData(
    orders=1_500, customers=900, months=14, seed=6, tenant="acme", until=datetime(2026, 6, 20, 12, tzinfo=UTC)
)
MONTHS = Months(date(2025, 5, 1), date(2026, 7, 1))


@pytest.fixture
def told(analytics: Analytics) -> Analytics:
    bulk_loader.load(
        PAST, analytics.server.dsn(analytics.name, OWNER), workers=1, progress=lambda _said: None
    )
    return analytics


def test_recurring_revenue_moves_alike_in_every_month(told: Analytics) -> None:
    seen: set[str] = set()

    with told.api.transaction("acme") as connection:
        for month in MONTHS.each():
            without = raw.movements(connection, "acme", month)
            seen |= set(without)
            assert raw.alike(mrr.month(connection, "acme", month)) == without

    assert seen == {"opening", "new", "expansion", "contraction", "churn", "reactivation"}


@pytest.mark.parametrize("start", [MONTHS.start, date(2026, 2, 1)])
def test_cohorts_are_alike(told: Analytics, start: date) -> None:
    months = Months(start, later(MONTHS.end, -1))

    with told.api.transaction("acme") as connection:
        without = raw.cohorts(connection, "acme", months)
        rolled = cohorts.cohorts(connection, "acme", CohortsWanted("order", months), date(2026, 6, 20), 0)

    assert {
        (it.month, cell.month): cell.active for it in rolled.cohorts for cell in it.months if cell.active
    } == without
    assert len({cohort for cohort, _ in without}) == months.count
