"""Sales of some days: day by day, by region, by product, and beside the days before them."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.model.date_ranges import Days, split, start_of
from services.analytics.queries.params import ProductsQuery, SalesHistoryQuery
from services.analytics.queries.sales_totals import SUM_NAMES, SUMS, SalesTotals, sales_totals
from services.shared.database import Connection

_BY_DAY: Final = sql.SQL(
    """
SELECT day, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
GROUP BY 1, 2
"""
).format(sums=SUMS)


def by_day(connection: Connection, tenant_id: str, days: Days) -> list[tuple[date, SalesTotals]]:
    """Return every day, also those without sales."""
    by_date: defaultdict[object, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(connection, _BY_DAY, {"tenant": tenant_id, "start": days.start, "end": days.end}):
        by_date[row["day"]].append(row)
    return [(day, sales_totals(by_date[day])) for day in days.each()]


_BY_REGION: Final = sql.SQL(
    """
SELECT region, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
GROUP BY 1, 2
ORDER BY 1
"""
).format(sums=SUMS)


def by_region(connection: Connection, tenant_id: str, days: Days) -> list[tuple[str | None, SalesTotals]]:
    """Return the regions in alphabetical order; None for orders without one."""
    rows = _rows(connection, _BY_REGION, {"tenant": tenant_id, "start": days.start, "end": days.end})
    return [
        (region or None, sales_totals(region_rows))
        for region, region_rows in groupby(rows, key=itemgetter("region"))
    ]


_BY_CHANNEL: Final = sql.SQL(
    """
SELECT channel, currency, {sums}
FROM channel_daily
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
GROUP BY 1, 2
ORDER BY 1
"""
).format(sums=SUMS)


def by_channel(connection: Connection, tenant_id: str, days: Days) -> list[tuple[str | None, SalesTotals]]:
    """Return the channels in alphabetical order; None for orders without one."""
    rows = _rows(connection, _BY_CHANNEL, {"tenant": tenant_id, "start": days.start, "end": days.end})
    return [(channel or None, sales_totals(its)) for channel, its in groupby(rows, key=itemgetter("channel"))]


_HISTORY: Final = """
SELECT day, currency, {sums}
FROM {table}
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s {condition}
GROUP BY 1, 2
"""
_OF_ALL: Final = sql.SQL(_HISTORY).format(
    sums=SUMS, table=sql.Identifier("sales_daily"), condition=sql.SQL("")
)
_OF_REGION: Final = sql.SQL(_HISTORY).format(
    sums=SUMS, table=sql.Identifier("sales_daily"), condition=sql.SQL("AND region = %(region)s")
)
_OF_CHANNEL: Final = sql.SQL(_HISTORY).format(
    sums=SUMS, table=sql.Identifier("channel_daily"), condition=sql.SQL("AND channel = %(channel)s")
)


def history(
    connection: Connection, tenant_id: str, query: SalesHistoryQuery
) -> list[tuple[Days, SalesTotals]]:
    """Return every interval of a range; the first and the last end where the range does."""
    statement = (
        _OF_ALL if query.region is query.channel is None else _OF_REGION if query.region else _OF_CHANNEL
    )
    values: dict[str, object] = {
        "tenant": tenant_id,
        "start": query.days.start,
        "end": query.days.end,
        "region": query.region,
        "channel": query.channel,
    }
    by_start: defaultdict[date, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in _rows(connection, statement, values):
        sums = by_start[start_of(row["day"], query.interval)][row["currency"]]
        sums.update({name: int(row[name]) for name in SUM_NAMES})
    return [
        (
            days,
            sales_totals(
                {"currency": currency, **{name: sums[name] for name in SUM_NAMES}}
                for currency, sums in by_start[start_of(days.start, query.interval)].items()
            ),
        )
        for days in split(query.days, query.interval)
    ]


@dataclass(frozen=True, slots=True)
class ProductTotals:
    sku: str
    name: str | None
    sales: SalesTotals


_BY_PRODUCT: Final = sql.SQL(
    """
WITH sold AS (
  SELECT sku, currency, {sums}
  FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
  GROUP BY 1, 2
), most AS (
  SELECT sku, row_number() OVER (ORDER BY sum(units) DESC, sku) AS place FROM sold GROUP BY sku
)
SELECT sold.*, products.name
FROM most JOIN sold USING (sku)
LEFT JOIN products ON products.tenant_id = %(tenant)s AND products.sku = sold.sku
WHERE place <= %(limit)s
ORDER BY place
"""
).format(sums=SUMS)


def by_product(connection: Connection, tenant_id: str, query: ProductsQuery) -> list[ProductTotals]:
    """Return the products with the most units sold, most first."""
    days = query.days
    values = {"tenant": tenant_id, "start": days.start, "end": days.end, "limit": query.limit}
    rows = _rows(connection, _BY_PRODUCT, values)
    return [
        ProductTotals(sku, name, sales_totals(product_rows))
        for (sku, name), product_rows in groupby(rows, key=itemgetter("sku", "name"))
    ]


@dataclass(frozen=True, slots=True)
class SalesComparison:
    current: SalesTotals
    previous: SalesTotals


_BOTH_PERIODS: Final = sql.SQL(
    """
SELECT day >= %(start)s AS now, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(before)s AND day < %(end)s
GROUP BY 1, 2
"""
).format(sums=SUMS)


def comparison(connection: Connection, tenant_id: str, days: Days) -> SalesComparison:
    """Return the sales of some days and of as many days right before them."""
    rows = _rows(
        connection,
        _BOTH_PERIODS,
        {"tenant": tenant_id, "before": days.before.start, "start": days.start, "end": days.end},
    )
    return SalesComparison(
        current=sales_totals(row for row in rows if row["now"]),
        previous=sales_totals(row for row in rows if not row["now"]),
    )


def _rows(connection: Connection, query: sql.Composed, values: dict[str, object]) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
