"""What rows contribute to the rollups that the API reads.

Units, revenue and refunds are those of confirmed orders, including refunded ones; an order that was never
confirmed counts only as an order.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from decimal import Decimal, localcontext
from itertools import accumulate, pairwise
from typing import Any, Final, Literal, NamedTuple

from services.analytics.db.tables import (
    CHANNEL_DAILY,
    COHORT_MONTH,
    COHORT_REVENUE,
    CUSTOMER_MONTH,
    MRR_MONTH,
    PRODUCT_DAILY,
    PRODUCT_MONTH,
    SALES_DAILY,
    CustomerRows,
    ItemRow,
    MovementRow,
    OrderRows,
    Table,
)
from services.analytics.model.mrr import EXACT, EXCHANGE, month_of

NO_REGION: Final = ""
NO_CHANNEL: Final = ""
NO_CURRENCY: Final = "XXX"

Key = tuple[Any, ...]
Amounts = tuple[Any, ...]
Basis = Literal["order", "subscription"]

_LOSSES: Final = frozenset({"contraction", "churn"})
_NOTHING: Final = Decimal(0)

_OUTCOMES: Final = {
    # confirmed, rejected, cancelled, refunded
    "PLACED": (0, 0, 0, 0),
    "RESERVED": (0, 0, 0, 0),
    "CONFIRMED": (1, 0, 0, 0),
    "REJECTED": (0, 1, 0, 0),
    "CANCELLED": (0, 0, 1, 0),
    "REFUNDED": (1, 0, 0, 1),
}
_RETURN: Final = (0, 0, 0, 0, 0)

Bought = Mapping[tuple[date, str], Amounts]
"""The confirmed orders of one customer by month and currency, as in CUSTOMER_MONTH."""


class Contribution(NamedTuple):
    """What a row adds to one row of a rollup."""

    table: Table
    key: Key
    amounts: Amounts


class Totals:
    """Contributions added up, row by row."""

    def __init__(self) -> None:
        self._sums: dict[Table, dict[Key, list[Any]]] = {}

    def add(self, contributions: Iterable[Contribution]) -> None:
        with localcontext(EXACT):
            for table, key, amounts in contributions:
                sums = self._of(table).get(key)
                if sums is None:
                    self._of(table)[key] = list(amounts)
                else:
                    for index, amount in enumerate(amounts):
                        sums[index] += amount

    def subtract(self, contributions: Iterable[Contribution]) -> None:
        self.add(
            Contribution(table, key, tuple([-amount for amount in amounts]))
            for table, key, amounts in contributions
        )

    def of(self, table: Table) -> Mapping[Key, Amounts]:
        """Return the non-zero sums by key, in the order of the keys."""
        sums = self._of(table)
        return {key: tuple(sums[key]) for key in sorted(sums) if any(sums[key])}

    def rows(self, table: Table) -> Iterator[tuple[Any, ...]]:
        """Return the sums as rows of their table, in the order of its key."""
        return (key + amounts for key, amounts in self.of(table).items())

    def _of(self, table: Table) -> dict[Key, list[Any]]:
        return self._sums.setdefault(table, {})


def of_order(rows: OrderRows) -> list[Contribution]:
    order = rows.order
    confirmed, *_ = outcome = _OUTCOMES[order.status]
    tenant_id, day, currency = order.tenant_id, order.placed_at.date(), order.currency or NO_CURRENCY
    revenue = (order.amount_minor or 0) if confirmed else 0
    refunded_minor = rows.payment.refunded_minor if rows.payment and confirmed else 0
    # Goods that came back under a number of their own are no order: they only lower what is left of revenue.
    counts = (1, *outcome) if order.units or not confirmed else _RETURN
    sold = (*counts, order.units if confirmed else 0, revenue, refunded_minor)
    found = [
        Contribution(SALES_DAILY, (tenant_id, day, order.region or NO_REGION, currency), sold),
        Contribution(CHANNEL_DAILY, (tenant_id, day, order.channel or NO_CHANNEL, currency), sold),
    ]
    for item, returned_minor in zip(rows.items, _returned(rows.items, refunded_minor), strict=True):
        units = item.quantity if confirmed else 0
        revenue_minor = (item.total_minor or 0) if confirmed else 0
        sold = (*(counts if item.quantity else _RETURN), units, revenue_minor, returned_minor)
        month = month_of(order.placed_at)
        found.append(Contribution(PRODUCT_DAILY, (tenant_id, day, item.sku, currency), sold))
        found.append(Contribution(PRODUCT_MONTH, (tenant_id, month, item.sku, currency), sold))
    if confirmed:
        found.append(
            Contribution(
                CUSTOMER_MONTH,
                (tenant_id, order.customer_id, month_of(order.placed_at), currency),
                (counts[0], revenue, refunded_minor),
            )
        )
    return found


def _returned(items: Sequence[ItemRow], refunded_minor: int) -> list[int]:
    """Return what was given back of each line: as a file tells, or else divided."""
    known = [item.returned_minor for item in items]
    return known if any(known) else _shares(items, refunded_minor)


def _shares(items: Sequence[ItemRow], refunded_minor: int) -> list[int]:
    """Divide what was given back among the lines by their amounts; the shares add up to it."""
    totals = [item.total_minor or 0 for item in items]
    whole = sum(totals)
    refunded_minor = min(refunded_minor, whole)
    reached = [refunded_minor * part // whole if whole else 0 for part in accumulate(totals, initial=0)]
    return [after - before for before, after in pairwise(reached)]


def of_customer(rows: CustomerRows) -> list[Contribution]:
    """Return what the subscriptions of a customer add: to recurring revenue, and to a cohort."""
    return of_movements(rows.movements)


def of_movements(movements: Iterable[MovementRow]) -> list[Contribution]:
    """Return what the movements of one customer, in order, add: to recurring revenue, and to a cohort."""
    found: list[Contribution] = []
    cohort: date | None = None
    for tenant_id, _, month, movement, annual_minor, exchange_minor in movements:
        if movement != EXCHANGE:
            found.append(Contribution(MRR_MONTH, (tenant_id, month, movement), (1, annual_minor)))
        if exchange_minor:
            found.append(Contribution(MRR_MONTH, (tenant_id, month, EXCHANGE), (1, exchange_minor)))
        cohort = cohort or month
        change = (-annual_minor if movement in _LOSSES else annual_minor) + exchange_minor
        found.append(
            _cohort_revenue(tenant_id, "subscription", cohort, month, NO_CURRENCY, (change, _NOTHING))
        )
        if movement in {"new", "reactivation"}:
            found.append(_cohort(tenant_id, "subscription", cohort, month, (1, 0)))
        elif movement == "churn":
            found.append(_cohort(tenant_id, "subscription", cohort, month, (0, 1)))
    return found


def of_bought(tenant_id: str, bought: Bought) -> list[Contribution]:
    """Return what the confirmed orders of a customer add to a cohort."""
    months = {month for (month, _), (orders, *_) in bought.items() if orders}
    found = of_months_with_orders(tenant_id, months)
    for (month, currency), (_, revenue, refunded) in bought.items():
        # Also what only came back in a month without an order.
        if months:
            amounts = (Decimal(revenue), Decimal(refunded))
            found.append(_cohort_revenue(tenant_id, "order", min(months), month, currency, amounts))
    return found


def of_months_with_orders(tenant_id: str, months: AbstractSet[date]) -> list[Contribution]:
    """Return what a customer adds to a cohort who had confirmed orders in these months."""
    found: list[Contribution] = []
    if not months:
        return found
    cohort = min(months)
    for month in months:
        if _previous(month) not in months:
            found.append(_cohort(tenant_id, "order", cohort, month, (1, 0)))
        if (after := _next(month)) and after not in months:
            found.append(_cohort(tenant_id, "order", cohort, after, (0, 1)))
    return found


def _cohort(
    tenant_id: str, basis: Basis, cohort: date, month: date, amounts: tuple[int, int]
) -> Contribution:
    return Contribution(COHORT_MONTH, (tenant_id, basis, cohort, month), amounts)


def _cohort_revenue(  # noqa: PLR0913, PLR0917 - the columns of the table
    tenant_id: str, basis: Basis, cohort: date, month: date, currency: str, amounts: tuple[Decimal, Decimal]
) -> Contribution:
    return Contribution(COHORT_REVENUE, (tenant_id, basis, cohort, month, currency), amounts)


def _next(month: date) -> date | None:
    if (month.year, month.month) == (date.max.year, date.max.month):
        return None
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _previous(month: date) -> date | None:
    if month == date.min:
        return None
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
