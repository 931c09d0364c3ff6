"""An order takes as much storage as the cost model assumes."""

from datetime import UTC, datetime

import pytest

from scripts.cost.read_side import BYTES_PER_ORDER
from scripts.demo_data import bulk_loader
from scripts.demo_data.generator import DemoData
from services.shared.database import OWNER
from tests.postgres.conftest import Analytics

PAST = DemoData(
    orders=10_000,
    customers=1_000,
    months=24,
    seed=1,
    tenant="acme",
    until=datetime(2026, 11, 21, 12, tzinfo=UTC),
)
SIZE = (
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)


def _size(analytics: Analytics) -> float:
    ((size,),) = analytics.rows(SIZE)
    return float(size)


def test_an_order_with_its_events_takes_what_the_bill_says(analytics: Analytics) -> None:
    before = _size(analytics)

    bulk_loader.load(
        PAST, analytics.server.dsn(analytics.name, OWNER), workers=1, progress=lambda _message: None
    )

    assert (_size(analytics) - before) / PAST.orders == pytest.approx(BYTES_PER_ORDER, rel=0.1)
