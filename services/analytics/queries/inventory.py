"""The products of a tenant with the units that were sold of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from services.analytics.queries.params import InventoryQuery
from services.shared.database import Connection

_PRODUCTS: Final = """
WITH sold AS (
  SELECT sku, sum(units) AS units
  FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(start)s AND day < %(end)s
  GROUP BY sku
), listed AS (
  SELECT products.*, coalesce(sold.units, 0)::bigint AS units_sold
  FROM products LEFT JOIN sold USING (sku)
  WHERE tenant_id = %(tenant)s AND (%(search)s::text IS NULL OR strpos(lower(sku), lower(%(search)s)) > 0
                                    OR strpos(lower(name), lower(%(search)s)) > 0)
)
SELECT sku, name, stock, available, unit_price_minor, currency, told_at, units_sold
FROM listed
WHERE %(after_units)s::bigint IS NULL OR (-units_sold, sku) > (-%(after_units)s::bigint, %(after_sku)s)
ORDER BY -units_sold, sku
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class ListedProduct:
    sku: str
    name: str | None
    stock: int
    """As the newest adjustment tells, as is `available`."""
    available: int
    unit_price_minor: int
    currency: str
    told_at: datetime
    units_sold: int

    @property
    def position(self) -> Sequence[str]:
        return (str(self.units_sold), self.sku)


def products(
    connection: Connection, tenant_id: str, query: InventoryQuery, after: Sequence[str] | None, limit: int
) -> list[ListedProduct]:
    """Return the products with the most units sold, most first."""
    filters = query.filters
    after_units, after_sku = after or (None, None)
    with connection.cursor(row_factory=class_row(ListedProduct)) as cursor:
        return cursor.execute(
            _PRODUCTS,
            {
                "tenant": tenant_id,
                "start": filters.days.start,
                "end": filters.days.end,
                "search": filters.search,
                "after_units": after_units,
                "after_sku": after_sku,
                "limit": limit,
            },
        ).fetchall()
