"""What was sold in a time, beside what was sold in the time right before it."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.api.responses import (
    Change,
    CurrencyChange,
    Money,
    Period,
    Sales,
    Summary,
    Takings,
    share,
)
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Days
from services.analytics.queries.totals import COUNTS, SUMS, sales, success

_BOTH: Final = sql.SQL(
    """
SELECT day >= %(start)s AS now, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(before)s AND day < %(end)s
GROUP BY 1, 2
"""
).format(sums=SUMS)


def summary(connection: Connection, tenant_id: str, days: Days) -> Summary:
    rows = (
        connection.cursor(row_factory=dict_row)
        .execute(
            _BOTH,
            {"tenant": tenant_id, "before": days.before.start, "start": days.start, "end": days.end},
        )
        .fetchall()
    )
    current = sales(row for row in rows if row["now"])
    previous = sales(row for row in rows if not row["now"])
    return Summary(
        period=Period(start=days.start, end=days.end),
        current=current,
        previous_period=Period(start=days.before.start, end=days.before.end),
        previous=previous,
        change=_change(current, previous),
    )


def _change(current: Sales, previous: Sales) -> Change:
    now, before = _by_currency(current.takings), _by_currency(previous.takings)
    return Change(
        **{name: _ratio(getattr(current, name), getattr(previous, name)) for name in COUNTS},
        success_rate=_ratio(success(current), success(previous)),
        takings=[
            _currency_change(now.get(currency) or _none(currency), before.get(currency) or _none(currency))
            for currency in sorted({*now, *before})
        ],
    )


def _currency_change(now: Takings, before: Takings) -> CurrencyChange:
    return CurrencyChange(
        currency=now.currency,
        revenue=_ratio(_minor(now.revenue), _minor(before.revenue)),
        refunded=_ratio(_minor(now.refunded), _minor(before.refunded)),
        net=_ratio(_minor(now.net), _minor(before.net)),
        average_order_value=_ratio(_minor(now.average_order_value), _minor(before.average_order_value)),
    )


def _ratio(now: int | Fraction | None, before: int | Fraction | None) -> float | None:
    """Tell by how much something grew; null where there is nothing to compare."""
    return None if now is None or before is None else share(now - before, before)


def _by_currency(takings: Iterable[Takings]) -> dict[str, Takings]:
    return {taken.currency: taken for taken in takings}


def _none(currency: str) -> Takings:
    nothing = Money(amount_minor=0, currency=currency)
    return Takings(
        currency=currency, revenue=nothing, refunded=nothing, net=nothing, average_order_value=None
    )


def _minor(money: Money | None) -> int | None:
    return money.amount_minor if money else None
