"""The answers without rollups: what one would ask the tables of orders and subscriptions themselves."""

from datetime import date, datetime
from fractions import Fraction
from typing import Final

from services.analytics.database import Connection
from services.analytics.periods import Months, later, midnight
from services.analytics.queries.recurring import Month

Movements = dict[str, tuple[int, Fraction]]
"""Customers, and what they pay in a year."""
Cells = dict[tuple[date, date], int]
"""How many of a cohort are active in a month."""

_MOVEMENTS: Final = """
WITH worth AS (
  SELECT customer_id,
    coalesce(sum(annual_minor) FILTER (
      WHERE starts_at < %(start)s AND (ends_at IS NULL OR ends_at >= %(start)s)), 0) AS before,
    coalesce(sum(annual_minor) FILTER (WHERE ends_at IS NULL OR ends_at >= %(end)s), 0) AS after,
    bool_or(annual_minor > 0 AND starts_at < %(start)s AND (ends_at IS NULL OR
      date_trunc('month', starts_at, 'UTC') < date_trunc('month', ends_at, 'UTC'))) AS known
  FROM subscription_periods
  WHERE tenant_id = %(tenant)s AND starts_at < %(end)s
  GROUP BY customer_id
)
SELECT 'opening', count(*) FILTER (WHERE before > 0), coalesce(sum(before), 0) FROM worth
UNION ALL
SELECT CASE
    WHEN before = 0 AND known THEN 'reactivation'
    WHEN before = 0 THEN 'new'
    WHEN after = 0 THEN 'churn'
    WHEN after > before THEN 'expansion'
    ELSE 'contraction'
  END, count(*), sum(abs(after - before))
FROM worth WHERE before <> after GROUP BY 1
"""

_COHORTS: Final = """
WITH active AS (
  SELECT DISTINCT customer_id, date_trunc('month', placed_at, 'UTC')::date AS month
  FROM orders
  WHERE tenant_id = %(tenant)s AND status IN ('CONFIRMED', 'REFUNDED') AND placed_at < %(end)s
), began AS (
  SELECT customer_id, min(month) AS cohort FROM active GROUP BY customer_id
)
SELECT cohort, month, count(*)
FROM active JOIN began USING (customer_id)
WHERE cohort >= %(start)s
GROUP BY cohort, month
"""

_ORDERS: Final = """
SELECT order_id, customer_id, status, reason, region, channel, payment_method, amount_minor, currency, units,
  placed_at, reserved_at, confirmed_at, ended_at
FROM orders WHERE tenant_id = %s
ORDER BY placed_at DESC, order_id DESC
LIMIT %s OFFSET %s
"""


def movements(connection: Connection, tenant: str, month: date) -> Movements:
    bounds = {"tenant": tenant, "start": midnight(month), "end": midnight(later(month, 1))}
    rows = connection.execute(_MOVEMENTS, bounds).fetchall()
    return {name: (customers, Fraction(annual)) for name, customers, annual in rows}


def alike(told: Month) -> Movements:
    """Put what the rollups tell into the same form."""
    moved = {name: (it.customers, it.annual_minor) for name, it in told.moved.items() if it.customers}
    return {"opening": (told.opening.customers, told.opening.annual_minor), **moved}


def cohorts(connection: Connection, tenant: str, months: Months) -> Cells:
    bounds = {"tenant": tenant, "start": months.start, "end": midnight(months.end)}
    rows = connection.execute(_COHORTS, bounds).fetchall()
    return {(cohort, month): customers for cohort, month, customers in rows}


def orders(connection: Connection, tenant: str, limit: int, offset: int) -> list[tuple[object, ...]]:
    return connection.execute(_ORDERS, [tenant, limit, offset]).fetchall()


def last_before(connection: Connection, tenant: str, offset: int) -> tuple[datetime, str]:
    """Look up the order that a page at this offset comes after."""
    row = connection.execute(
        "SELECT placed_at, order_id FROM orders WHERE tenant_id = %s"
        " ORDER BY placed_at DESC, order_id DESC LIMIT 1 OFFSET %s",
        [tenant, offset - 1],
    ).fetchone()
    if row is None:
        raise RuntimeError(f"there are no {offset} orders")
    return row[0], row[1]
