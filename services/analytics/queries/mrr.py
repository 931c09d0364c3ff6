"""Recurring revenue: how a month moved it, and the rates of churn that follow from that."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.analytics.model.date_ranges import Months, later
from services.analytics.queries.ratios import ratio
from services.shared.database import Connection

MONTHS_PER_YEAR: Final = 12
_INCREASES: Final = ("new", "expansion", "reactivation", "exchange")
"""Exchange is signed: what changed through exchange rates alone, up or down."""
_DECREASES: Final = ("contraction", "churn")
_SAME_CUSTOMERS: Final = frozenset({"expansion", "contraction", "exchange"})
"""Movements that leave the number of customers as it is."""


@dataclass(frozen=True, slots=True)
class RecurringRevenue:
    """What some customers pay in a year, exactly."""

    annual_minor: Fraction = Fraction()
    customers: int = 0

    def __add__(self, other: "RecurringRevenue") -> "RecurringRevenue":
        return RecurringRevenue(self.annual_minor + other.annual_minor, self.customers + other.customers)

    def __sub__(self, other: "RecurringRevenue") -> "RecurringRevenue":
        return RecurringRevenue(self.annual_minor - other.annual_minor, self.customers - other.customers)

    @property
    def monthly_minor(self) -> int:
        # Rounded here and nowhere else: half to even, as `round` does it with fractions.
        return round(self.annual_minor / MONTHS_PER_YEAR)


@dataclass(frozen=True, slots=True)
class ChurnRates:
    """Shares of the opening; None where there was nothing to lose."""

    logo_churn: Fraction | None
    gross_revenue_churn: Fraction | None
    net_revenue_churn: Fraction | None
    gross_revenue_retention: Fraction | None
    net_revenue_retention: Fraction | None


@dataclass(frozen=True, slots=True)
class Indicators:
    """What is derived from the recurring revenue of a month; amounts are exact."""

    annual_minor: Fraction
    customers: int
    revenue_per_account_minor: Fraction | None
    quick_ratio: Fraction | None
    lifetime_value_minor: Fraction | None


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """Recurring revenue at the opening of a month, and its movements in it."""

    month: date
    opening: RecurringRevenue
    movements: Mapping[str, RecurringRevenue]

    @property
    def closing(self) -> RecurringRevenue:
        return self.opening + _net(self.movements)

    def churn_rates(self) -> ChurnRates:
        """Return the rates of the customers of the opening: neither new nor returned ones."""
        opening = self.opening.annual_minor
        churned, expanded = self.movements["churn"], self.movements["expansion"].annual_minor
        lost = self.movements["contraction"].annual_minor + churned.annual_minor
        remaining = opening - lost
        return ChurnRates(
            logo_churn=ratio(churned.customers, self.opening.customers),
            gross_revenue_churn=ratio(lost, opening),
            net_revenue_churn=ratio(lost - expanded, opening),
            gross_revenue_retention=ratio(remaining, opening),
            net_revenue_retention=ratio(remaining + expanded, opening),
        )

    def indicators(self) -> Indicators:
        closing, moved = self.closing, self.movements
        gained = moved["new"].annual_minor + moved["expansion"].annual_minor
        lost = moved["contraction"].annual_minor + moved["churn"].annual_minor
        per_account = ratio(closing.annual_minor / MONTHS_PER_YEAR, closing.customers)
        logo_churn = self.churn_rates().logo_churn
        return Indicators(
            annual_minor=closing.annual_minor,
            customers=closing.customers,
            revenue_per_account_minor=per_account,
            quick_ratio=ratio(gained + moved["reactivation"].annual_minor, lost),
            lifetime_value_minor=ratio(per_account, logo_churn) if per_account and logo_churn else None,
        )


_MOVEMENTS: Final = """
SELECT greatest(month, %(before)s) AS month, movement, sum(annual_minor), sum(customers)::bigint
FROM mrr_month
WHERE tenant_id = %(tenant)s AND month < %(end)s
GROUP BY 1, 2
"""


def revenue_month(connection: Connection, tenant_id: str, month: date) -> RevenueMonth:
    [found] = revenue_months(connection, tenant_id, Months(month, later(month, 1)))
    return found


def revenue_months(connection: Connection, tenant_id: str, months: Months) -> list[RevenueMonth]:
    """Return every month of a range; each opens as the one before it closed."""
    # What is older than the range is added up as if it had all happened in the month before.
    before = later(months.start, -1)
    by_month: defaultdict[date, dict[str, RecurringRevenue]] = defaultdict(dict)
    for month, movement, annual_minor, customers in connection.execute(
        _MOVEMENTS, {"tenant": tenant_id, "before": before, "end": months.end}
    ):
        by_month[month][movement] = _revenue(annual_minor, customers)
    found: list[RevenueMonth] = []
    opening = _net(by_month[before])
    for month in months.each():
        movements = {
            name: by_month[month].get(name, RecurringRevenue()) for name in (*_INCREASES, *_DECREASES)
        }
        found.append(RevenueMonth(month, opening, movements))
        opening = found[-1].closing
    return found


_UPCOMING_CHURN: Final = """
SELECT month, annual_minor, customers FROM mrr_month
WHERE tenant_id = %(tenant)s AND month > %(month)s AND movement = 'churn'
ORDER BY month
"""


def upcoming_churn(
    connection: Connection, tenant_id: str, today: date
) -> list[tuple[date, RecurringRevenue]]:
    """Return what is known to end after this month, by month."""
    rows = connection.execute(_UPCOMING_CHURN, {"tenant": tenant_id, "month": today.replace(day=1)})
    return [(month, _revenue(annual_minor, customers)) for month, annual_minor, customers in rows]


def _revenue(annual_minor: Decimal, customers: int) -> RecurringRevenue:
    return RecurringRevenue(Fraction(annual_minor), customers)


def _net(movements: Mapping[str, RecurringRevenue]) -> RecurringRevenue:
    """Add the increases and subtract the decreases; only some movements change the number of customers."""
    total = RecurringRevenue()
    for name, revenue in movements.items():
        counted = RecurringRevenue(revenue.annual_minor) if name in _SAME_CUSTOMERS else revenue
        total = total + counted if name in _INCREASES else total - counted
    return total
