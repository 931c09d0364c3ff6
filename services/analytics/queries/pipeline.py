"""What was sold where, and of what."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.api.responses import Period, Products, ProductSales, Regions, RegionSales
from services.analytics.db.database import Connection
from services.analytics.model.date_ranges import Days
from services.analytics.queries.params import ProductsWanted
from services.analytics.queries.totals import SUMS, sales

_BY_REGION: Final = sql.SQL(
    """
SELECT region, currency, {sums}
FROM sales_daily
WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
GROUP BY 1, 2
ORDER BY 1
"""
).format(sums=SUMS)


def by_region(connection: Connection, tenant_id: str, days: Days) -> Regions:
    rows = _rows(connection, _BY_REGION, {"tenant": tenant_id, "start": days.start, "end": days.end})
    return Regions(
        period=Period(start=days.start, end=days.end),
        regions=[
            RegionSales(region=region or None, **dict(sales(found)))
            for region, found in groupby(rows, key=itemgetter("region"))
        ],
    )


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
WHERE place <= %(most)s
ORDER BY place
"""
).format(sums=SUMS)


def by_product(connection: Connection, tenant_id: str, wanted: ProductsWanted) -> Products:
    days = wanted.days
    rows = _rows(
        connection,
        _BY_PRODUCT,
        {"tenant": tenant_id, "start": days.start, "end": days.end, "most": wanted.limit},
    )
    return Products(
        period=Period(start=days.start, end=days.end),
        products=[
            ProductSales(sku=sku, name=name, **dict(sales(found)))
            for (sku, name), found in groupby(rows, key=itemgetter("sku", "name"))
        ],
    )


def _rows(connection: Connection, query: sql.Composed, values: dict[str, object]) -> Iterable[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query, values).fetchall()
