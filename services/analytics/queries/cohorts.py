"""How many of the customers who began in a month are still active later."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Months, later
from services.analytics.queries.params import CohortsQuery


@dataclass(frozen=True, slots=True)
class CohortActivity:
    month: date
    customers: int
    active: tuple[tuple[date, int], ...]
    """Each month from the first, and how many customers were active in it."""


_CHANGES: Final = """
SELECT cohort, month, entered, entered - left_off
FROM cohort_month
WHERE tenant_id = %(tenant)s AND basis = %(basis)s
  AND cohort >= %(start)s AND cohort < %(end)s AND month < %(end)s
"""


def cohorts(connection: Connection, tenant_id: str, query: CohortsQuery, today: date) -> list[CohortActivity]:
    """Return the cohorts of some months, each up to the last of them that has begun."""
    begun = Months(query.months.start, min(query.months.end, later(today.replace(day=1), 1)))
    rows = connection.execute(
        _CHANGES,
        {"tenant": tenant_id, "basis": query.basis, "start": begun.start, "end": begun.end},
    ).fetchall()
    sizes = {cohort: entered for cohort, month, entered, _ in rows if cohort == month and entered}
    changes: defaultdict[date, dict[date, int]] = defaultdict(dict)
    for cohort, month, _, change in rows:
        changes[cohort][month] = change
    return [
        CohortActivity(cohort, sizes[cohort], _active(changes[cohort], Months(cohort, begun.end)))
        for cohort in sorted(sizes)
    ]


def _active(changes: Mapping[date, int], months: Months) -> tuple[tuple[date, int], ...]:
    active, result = 0, []
    for month in months.each():
        active += changes.get(month, 0)
        result.append((month, active))
    return tuple(result)
