"""Recurring revenue: how a month moved it, and the rates of churn that follow from that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.analytics.api.responses import Churn, Money, Movement, Mrr, share
from services.analytics.db.database import Connection

_MONTHS: Final = 12
_ADDS: Final = ("new", "expansion", "reactivation")
_TAKES: Final = ("contraction", "churn")


@dataclass(frozen=True, slots=True)
class Amount:
    """What some customers pay in a year, exactly."""

    annual_minor: Fraction = Fraction()
    customers: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.annual_minor + other.annual_minor, self.customers + other.customers)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(self.annual_minor - other.annual_minor, self.customers - other.customers)

    def told(self, currency: str) -> Movement:
        # Rounded here and nowhere else: half to even, as `round` does it with fractions.
        monthly = round(self.annual_minor / _MONTHS)
        return Movement(amount=Money(amount_minor=monthly, currency=currency), customers=self.customers)


@dataclass(frozen=True, slots=True)
class Month:
    """Recurring revenue as a month found it, and what happened in it."""

    month: date
    opening: Amount
    moved: Mapping[str, Amount]

    @property
    def closing(self) -> Amount:
        return self.opening + _net(self.moved)


_MOVEMENTS: Final = """
SELECT movement, month = %(month)s AS now, sum(annual_minor), sum(customers)::bigint
FROM mrr_month
WHERE tenant_id = %(tenant)s AND month <= %(month)s
GROUP BY 1, 2
"""


def month(connection: Connection, tenant_id: str, wanted: date) -> Month:
    rows = connection.execute(_MOVEMENTS, {"tenant": tenant_id, "month": wanted}).fetchall()
    before, now = (
        {
            movement: _amount(annual, customers)
            for movement, of_month, annual, customers in rows
            if of_month is when
        }
        for when in (False, True)
    )
    return Month(wanted, _net(before), {name: now.get(name, Amount()) for name in (*_ADDS, *_TAKES)})


def mrr(told: Month, currency: str) -> Mrr:
    return Mrr(
        month=told.month,
        opening=told.opening.told(currency),
        closing=told.closing.told(currency),
        formula="closing = opening + new + expansion + reactivation - contraction - churn; a month is "
        "a twelfth of a year, added up exactly and rounded half to even where it is shown",
        **{name: amount.told(currency) for name, amount in told.moved.items()},
    )


_FORMULAS: Final = {
    "logoChurn": "customers churned / customers at opening",
    "grossRevenueChurn": "(contraction + churn) / opening",
    "netRevenueChurn": "1 - netRevenueRetention",
    "grossRevenueRetention": "1 - grossRevenueChurn",
    "netRevenueRetention": "(opening + expansion - contraction - churn) / opening",
}


def churn(told: Month, currency: str) -> Churn:
    """Tell the rates of those who were there at the opening: neither new customers nor returned ones."""
    opening, lost = told.opening.annual_minor, told.moved["contraction"] + told.moved["churn"]
    kept = opening - lost.annual_minor
    retained = kept + told.moved["expansion"].annual_minor
    return Churn(
        month=told.month,
        opening=told.opening.told(currency),
        expansion=told.moved["expansion"].told(currency),
        contraction=told.moved["contraction"].told(currency),
        churn=told.moved["churn"].told(currency),
        logo_churn=share(told.moved["churn"].customers, told.opening.customers),
        gross_revenue_churn=share(lost.annual_minor, opening),
        net_revenue_churn=share(opening - retained, opening),
        gross_revenue_retention=share(kept, opening),
        net_revenue_retention=share(retained, opening),
        formulas=_FORMULAS,
    )


def _amount(annual_minor: Decimal, customers: int) -> Amount:
    return Amount(Fraction(annual_minor), customers)


def _net(moved: Mapping[str, Amount]) -> Amount:
    """Add up what came and take away what went. How many customers there are, only some movements change."""
    total = Amount()
    for name, amount in moved.items():
        counted = amount if name not in _SAME_CUSTOMERS else Amount(amount.annual_minor)
        total = total + counted if name in _ADDS else total - counted
    return total


_SAME_CUSTOMERS: Final = frozenset({"expansion", "contraction"})
