"""Products by how much of them was sold in a range of days, page by page.

Whole months come from a rollup of their own, so that a year costs about what a month does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Final

from psycopg import sql
from psycopg.rows import dict_row

from services.analytics.model.date_ranges import Days, cover
from services.analytics.queries.sales import ProductTotals
from services.analytics.queries.sales_totals import SUM_NAMES, SUMS, sales_totals
from services.shared.database import Connection


@dataclass(frozen=True, slots=True)
class RankedProduct:
    product: ProductTotals
    value: int
    """What the list is sorted by."""

    @property
    def position(self) -> Sequence[str]:
        return str(self.value), self.product.sku


def _signed(sign: str) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{sign} {name} AS {name}").format(sign=sql.SQL(sign), name=sql.Identifier(name))
        for name in SUM_NAMES
    )


# Every page costs what the range does: all is added up, and the page is cut out of the sums.
_PAGE: Final = sql.SQL(
    """
WITH parts AS (
  SELECT sku, currency, {plus} FROM product_month
  WHERE tenant_id = %(tenant)s AND month >= %(month_start)s AND month < %(month_end)s
  UNION ALL
  SELECT sku, currency, {plus} FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(added_start_1)s AND day < %(added_end_1)s
  UNION ALL
  SELECT sku, currency, {plus} FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(added_start_2)s AND day < %(added_end_2)s
  UNION ALL
  SELECT sku, currency, {minus} FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(subtracted_start_1)s AND day < %(subtracted_end_1)s
  UNION ALL
  SELECT sku, currency, {minus} FROM product_daily
  WHERE tenant_id = %(tenant)s AND day >= %(subtracted_start_2)s AND day < %(subtracted_end_2)s
), sold AS (
  SELECT sku, currency, {sums} FROM parts GROUP BY 1, 2 HAVING sum(orders) <> 0
), ranked AS (
  SELECT sku, CASE WHEN %(currency)s::text IS NULL THEN sum(units)
    ELSE coalesce(sum(revenue_minor) FILTER (WHERE currency = %(currency)s::text), 0) END AS value
  FROM sold GROUP BY sku
), page AS (
  SELECT sku, value FROM ranked
  WHERE %(after)s::numeric IS NULL OR value < %(after)s OR (value = %(after)s AND sku > %(after_sku)s)
  ORDER BY value DESC, sku LIMIT %(limit)s
)
SELECT sold.*, page.value, products.name
FROM page JOIN sold USING (sku)
LEFT JOIN products ON products.tenant_id = %(tenant)s AND products.sku = sold.sku
ORDER BY page.value DESC, sku
"""
).format(sums=SUMS, plus=_signed("+"), minus=_signed("-"))


def page(  # noqa: PLR0913, PLR0917 - what a page is
    connection: Connection,
    tenant_id: str,
    days: Days,
    currency: str | None,
    after: Sequence[str] | None,
    limit: int,
) -> list[RankedProduct]:
    """Return products after a position, by revenue in a currency, or by units; most first."""
    covered = cover(days)
    after_value, after_sku = after or (None, None)
    values: dict[str, object] = {
        "tenant": tenant_id,
        "month_start": covered.months.start,
        "month_end": covered.months.end,
        "currency": currency,
        "after": after_value and Decimal(after_value),
        "after_sku": after_sku,
        "limit": limit,
        **_bounds("added", covered.added),
        **_bounds("subtracted", covered.subtracted),
    }
    rows = connection.cursor(row_factory=dict_row).execute(_PAGE, values).fetchall()
    return [
        RankedProduct(ProductTotals(sku, name, sales_totals(its)), int(value))
        for (sku, name, value), its in groupby(rows, key=itemgetter("sku", "name", "value"))
    ]


def _bounds(kind: str, ranges: Sequence[Days]) -> dict[str, object]:
    """Return the bounds of two ranges of days; those that are not needed are empty."""
    nothing = Days(date.min, date.min)
    bounds = [*ranges, nothing, nothing][:2]
    return {
        f"{kind}_{end}_{number}": day
        for number, days in enumerate(bounds, start=1)
        for end, day in (("start", days.start), ("end", days.end))
    }
