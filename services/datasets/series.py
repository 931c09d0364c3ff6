"""The numbers of a dataset over time, answered from its hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.datasets.records import TOTAL, DatasetLoad
from services.shared.database import Database

INTERVALS: Final = ("hour", "day", "week", "month", "quarter", "year")
MAX_POINTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    kpi: str
    interval: str
    since: date | None = None
    until: date | None = None
    """Exclusive."""
    by: str = TOTAL


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    member: str
    count: int
    sum: float
    min: float
    max: float


def read_series(database: Database, load: DatasetLoad, query: SeriesQuery) -> Sequence[Point]:
    """Return the points by interval, one more than MAX_POINTS if there are more; weeks begin on Monday."""
    with database.transaction(load.tenant_id) as session:
        rows = session.execute(
            _SERIES,
            [
                query.interval,
                load.dataset_id,
                load.load_id,
                query.kpi,
                query.by,
                query.since,
                query.until,
                MAX_POINTS + 1,
            ],
        ).fetchall()
    return [Point(*row) for row in rows]


_SERIES: Final = b"""
SELECT date_trunc(%s, hour AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS at, member,
  sum(count)::bigint, sum(sum), min(min), max(max)
FROM dataset_hours
WHERE dataset_id = %s AND load_id = %s AND kpi = %s AND dimension = %s
  AND hour >= coalesce(%s::timestamp AT TIME ZONE 'UTC', '-infinity')
  AND hour < coalesce(%s::timestamp AT TIME ZONE 'UTC', 'infinity')
GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %s
"""
