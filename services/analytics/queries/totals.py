"""Sums over days, and how they are told: orders counted together, money by currency."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from psycopg import sql

from services.analytics.api.responses import Money, Sales, Takings, share

Row = Mapping[str, Any]

SUMS: Final = sql.SQL(
    """
  sum(orders)::bigint AS orders, sum(confirmed)::bigint AS confirmed, sum(rejected)::bigint AS rejected,
  sum(cancelled)::bigint AS cancelled, sum(refunded)::bigint AS refunded, sum(units) AS units,
  sum(revenue_minor) AS revenue_minor, sum(refunded_minor) AS refunded_minor
"""
)
"""Columns of every query over sales_daily and product_daily."""

COUNTS: Final = ("orders", "confirmed", "rejected", "cancelled", "refunded", "units")

_DECIDED: Final = ("confirmed", "rejected", "cancelled")


def sales(rows: Iterable[Row]) -> Sales:
    """Put together what was sold, of one row for each currency."""
    found = sorted(rows, key=lambda row: str(row["currency"]))
    counts = {name: sum(int(row[name]) for row in found) for name in COUNTS}
    return Sales(
        **counts,
        success_rate=share(counts["confirmed"], sum(counts[name] for name in _DECIDED)),
        # What nobody paid for has a currency, too, or none; it is no takings.
        takings=[_takings(row) for row in found if row["confirmed"]],
    )


def success(told: Sales) -> Fraction | None:
    """Return the success rate before it was rounded."""
    decided = told.confirmed + told.rejected + told.cancelled
    return Fraction(told.confirmed, decided) if decided else None


def _takings(row: Row) -> Takings:
    def money(amount_minor: int) -> Money:
        return Money(amount_minor=amount_minor, currency=row["currency"])

    revenue, refunded = int(row["revenue_minor"]), int(row["refunded_minor"])
    return Takings(
        currency=row["currency"],
        revenue=money(revenue),
        refunded=money(refunded),
        net=money(revenue - refunded),
        average_order_value=money(round(Fraction(revenue, row["confirmed"]))),
    )
