"""What became of the orders of some days: orders counted together, money by currency."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from psycopg import sql

from services.analytics.queries.ratios import ratio

Row = Mapping[str, Any]

SUMS: Final = sql.SQL(
    """
  sum(orders)::bigint AS orders, sum(confirmed)::bigint AS confirmed, sum(rejected)::bigint AS rejected,
  sum(cancelled)::bigint AS cancelled, sum(refunded)::bigint AS refunded, sum(units) AS units,
  sum(revenue_minor) AS revenue_minor, sum(refunded_minor) AS refunded_minor
"""
)
"""Columns of every query over the daily and monthly sums of orders."""

SUM_NAMES: Final = (
    *("orders", "confirmed", "rejected", "cancelled", "refunded"),
    *("units", "revenue_minor", "refunded_minor"),
)


@dataclass(frozen=True, slots=True)
class CurrencyRevenue:
    """The revenue of confirmed orders in one currency; the defaults are those of a time without any."""

    currency: str
    revenue_minor: int = 0
    refunded_minor: int = 0
    average_order_value_minor: int | None = None

    @property
    def net_minor(self) -> int:
        return self.revenue_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class SalesTotals:
    orders: int
    confirmed: int
    rejected: int
    cancelled: int
    refunded: int
    units: int
    revenue: tuple[CurrencyRevenue, ...]
    """By currency, in alphabetical order."""

    @property
    def success_rate(self) -> Fraction | None:
        return ratio(self.confirmed, self.confirmed + self.rejected + self.cancelled)


def sales_totals(rows: Iterable[Row]) -> SalesTotals:
    """Add up rows of SUMS, one for each currency."""
    by_currency = sorted(rows, key=lambda row: str(row["currency"]))

    def total(column: str) -> int:
        return sum(int(row[column]) for row in by_currency)

    return SalesTotals(
        orders=total("orders"),
        confirmed=total("confirmed"),
        rejected=total("rejected"),
        cancelled=total("cancelled"),
        refunded=total("refunded"),
        units=total("units"),
        # Orders that were never confirmed have a currency, too, or none; they are no revenue.
        revenue=tuple(_revenue(row) for row in by_currency if row["confirmed"]),
    )


def _revenue(row: Row) -> CurrencyRevenue:
    revenue_minor = int(row["revenue_minor"])
    return CurrencyRevenue(
        currency=row["currency"],
        revenue_minor=revenue_minor,
        refunded_minor=int(row["refunded_minor"]),
        average_order_value_minor=round(Fraction(revenue_minor, row["confirmed"])),
    )
