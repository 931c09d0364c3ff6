"""Sales of some days: day by day, by region, by product, and beside the days before them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Days
from services.analytics.queries.params import ProductsQuery
from services.analytics.queries.sales_totals import SUMS, SalesTotals, sales_totals

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
