"""How many of the customers who began in a month are still active later."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from services.analytics.model.date_ranges import Months, later
from services.analytics.queries.mrr import MONTHS_PER_YEAR
from services.analytics.queries.params import CohortsQuery
from services.shared.database import Connection


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


@dataclass(frozen=True, slots=True)
class CohortRevenue:
    activity: CohortActivity
    revenue: Mapping[date, Mapping[str, Fraction]]
    """By month and currency, net of refunds; of subscriptions, per month, under no currency."""


_REVENUE: Final = """
SELECT cohort, month, currency, revenue_minor - refunded_minor
FROM cohort_revenue
WHERE tenant_id = %(tenant)s AND basis = %(basis)s
  AND cohort >= %(start)s AND cohort < %(end)s AND month < %(end)s
"""


def revenue_cohorts(
    connection: Connection, tenant_id: str, query: CohortsQuery, today: date
) -> list[CohortRevenue]:
    """Return the revenue of the same cohorts, in the same months."""
    values = {"tenant": tenant_id, "basis": query.basis, "start": query.months.start, "end": query.months.end}
    sums: defaultdict[date, defaultdict[date, dict[str, Fraction]]] = defaultdict(lambda: defaultdict(dict))
    for cohort, month, currency, net in connection.execute(_REVENUE, values):
        sums[cohort][month][currency] = Fraction(net)
    found = cohorts(connection, tenant_id, query, today)
    add_up = _running if query.basis == "subscription" else _by_month
    return [CohortRevenue(it, add_up(it, sums[it.month])) for it in found]


def _by_month(
    activity: CohortActivity, sums: Mapping[date, Mapping[str, Fraction]]
) -> Mapping[date, Mapping[str, Fraction]]:
    return {month: sums.get(month, {}) for month, _ in activity.active}


def _running(
    activity: CohortActivity, changes: Mapping[date, Mapping[str, Fraction]]
) -> Mapping[date, Mapping[str, Fraction]]:
    """Add up the changes of a year's worth: a twelfth is what a month of it brings in."""
    total: defaultdict[str, Fraction] = defaultdict(Fraction)
    result: dict[date, Mapping[str, Fraction]] = {}
    for month, _ in activity.active:
        for currency, change in changes.get(month, {}).items():
            total[currency] += change
        result[month] = {currency: annual / MONTHS_PER_YEAR for currency, annual in total.items()}
    return result


def _active(changes: Mapping[date, int], months: Months) -> tuple[tuple[date, int], ...]:
    active, result = 0, []
    for month in months.each():
        active += changes.get(month, 0)
        result.append((month, active))
    return tuple(result)
