"""How many of the customers who began in a month are still active later."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Final

from services.analytics.api.responses import Cohort, CohortCell, Cohorts, share
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Months, later
from services.analytics.queries.params import CohortsWanted

_CHANGES: Final = """
SELECT cohort, month, entered, entered - left_off
FROM cohort_month
WHERE tenant_id = %(tenant)s AND basis = %(basis)s
  AND cohort >= %(start)s AND cohort < %(end)s AND month < %(end)s
"""


def cohorts(
    connection: Connection, tenant_id: str, wanted: CohortsWanted, today: date, smallest_group: int
) -> Cohorts:
    """Tell the cohorts of some months, each up to the last of them that has begun."""
    shown = Months(wanted.months.start, min(wanted.months.end, later(today.replace(day=1), 1)))
    rows = connection.execute(
        _CHANGES,
        {"tenant": tenant_id, "basis": wanted.basis, "start": shown.start, "end": shown.end},
    ).fetchall()
    began = {cohort: entered for cohort, month, entered, _ in rows if cohort == month and entered}
    changes: defaultdict[date, dict[date, int]] = defaultdict(dict)
    for cohort, month, _, change in rows:
        changes[cohort][month] = change
    return Cohorts(
        basis=wanted.basis,
        start=wanted.months.start,
        end=wanted.months.end,
        cohorts=[
            _cohort(month, began[month], changes[month], shown.end, smallest_group) for month in sorted(began)
        ],
    )


def withholds(told: Cohorts) -> bool:
    return any(
        cohort.customers is None or any(cell.active is None for cell in cohort.months)
        for cohort in told.cohorts
    )


def _cohort(began: date, size: int, changes: Mapping[date, int], end: date, smallest: int) -> Cohort:
    cells, active = [], 0
    told = size >= smallest
    for month in Months(began, end).each():
        active += changes.get(month, 0)
        known = active if told and active >= smallest else None
        cells.append(
            CohortCell(
                month=month,
                active=known,
                retention=None if known is None else share(known, size),
            )
        )
    return Cohort(month=began, customers=size if told else None, months=cells)
