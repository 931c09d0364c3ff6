"""The expected rollups, computed from the plain rows by the most obvious SQL, however slow."""

from collections.abc import Mapping
from typing import Final

_ORDERS = """
WITH sold AS (
  SELECT o.*, (o.placed_at AT TIME ZONE 'UTC')::date AS day,
    date_trunc('month', o.placed_at AT TIME ZONE 'UTC')::date AS month,
    coalesce(o.currency, 'XXX') AS money, coalesce(o.region, '') AS place,
    o.status IN ('CONFIRMED', 'REFUNDED') AS is_sold,
    CASE WHEN o.status = 'REFUNDED' THEN p.refunded_minor ELSE 0 END AS given_back
  FROM orders o LEFT JOIN payments p USING (tenant_id, order_id)
)
"""

_OUTCOMES = """
  count(*), count(*) FILTER (WHERE is_sold), count(*) FILTER (WHERE status = 'REJECTED'),
  count(*) FILTER (WHERE status = 'CANCELLED'), count(*) FILTER (WHERE status = 'REFUNDED')
"""

# From the first month of which anything is known to the one after the last.
_CALENDAR = """
calendar AS (
  SELECT month::date, (month + interval '1 month')::date AS next
  FROM (
    SELECT date_trunc('month', min(moment)) AS first, date_trunc('month', max(moment)) AS last
    FROM (
      SELECT placed_at AT TIME ZONE 'UTC' AS moment FROM orders
      UNION ALL SELECT starts_at AT TIME ZONE 'UTC' FROM subscription_periods
      UNION ALL SELECT ends_at AT TIME ZONE 'UTC' FROM subscription_periods
    ) AS moments
  ) AS span, generate_series(first, last + interval '1 month', interval '1 month') AS month
)
"""

_WORTH = f"""
WITH {_CALENDAR},
customers AS (SELECT DISTINCT tenant_id, customer_id FROM subscription_periods),
ends AS (
  SELECT tenant_id, customer_id, month, coalesce((
    SELECT sum(annual_minor) FROM subscription_periods p
    WHERE p.tenant_id = c.tenant_id AND p.customer_id = c.customer_id
      -- in force in the last moment of the month
      AND starts_at < next::timestamp AT TIME ZONE 'UTC'
      AND (ends_at IS NULL OR ends_at >= next::timestamp AT TIME ZONE 'UTC')
  ), 0) AS worth
  FROM customers c, calendar
),
compared AS (
  SELECT *, coalesce(lag(worth) OVER months, 0) AS before,
    coalesce(max(worth) OVER (months ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS known,
    min(month) FILTER (WHERE worth > 0) OVER (PARTITION BY tenant_id, customer_id) AS cohort
  FROM ends WINDOW months AS (PARTITION BY tenant_id, customer_id ORDER BY month)
),
moved AS (
  SELECT *, abs(worth - before) AS difference,
    CASE
      WHEN before = 0 AND NOT known THEN 'new'
      WHEN before = 0 THEN 'reactivation'
      WHEN worth = 0 THEN 'churn'
      WHEN worth > before THEN 'expansion'
      ELSE 'contraction'
    END AS movement
  FROM compared WHERE worth <> before
)
"""

_ACTIVE = f"""
WITH {_CALENDAR},
bought AS (
  SELECT DISTINCT tenant_id, customer_id, date_trunc('month', placed_at AT TIME ZONE 'UTC')::date AS month
  FROM orders WHERE confirmed_at IS NOT NULL
),
customers AS (SELECT tenant_id, customer_id, min(month) AS cohort FROM bought GROUP BY 1, 2),
active AS (
  SELECT tenant_id, cohort, month, customer_id,
    EXISTS (SELECT FROM bought b WHERE (b.tenant_id, b.customer_id, b.month)
      = (c.tenant_id, c.customer_id, calendar.month)) AS now
  FROM customers c, calendar
),
stepped AS (
  SELECT *, coalesce(lag(now) OVER (PARTITION BY tenant_id, customer_id ORDER BY month), false) AS before
  FROM active
)
"""

QUERIES: Final[Mapping[str, str]] = {
    "sales_daily": f"""{_ORDERS}
        SELECT tenant_id, day, place, money, {_OUTCOMES},
          coalesce(sum(units) FILTER (WHERE is_sold), 0),
          coalesce(sum(amount_minor) FILTER (WHERE is_sold), 0), sum(given_back)
        FROM sold GROUP BY 1, 2, 3, 4""",
    "product_daily": f"""{_ORDERS}
        SELECT tenant_id, day, sku, money, {_OUTCOMES},
          coalesce(sum(quantity) FILTER (WHERE is_sold), 0),
          coalesce(sum(quantity * unit_price_minor) FILTER (WHERE is_sold), 0),
          coalesce(sum(quantity * unit_price_minor) FILTER (WHERE status = 'REFUNDED'), 0)
        FROM sold JOIN order_items USING (tenant_id, order_id) GROUP BY 1, 2, 3, 4""",
    "customer_month": f"""{_ORDERS}
        SELECT tenant_id, customer_id, month, money, count(*), sum(amount_minor), sum(given_back)
        FROM sold WHERE is_sold GROUP BY 1, 2, 3, 4""",
    "subscription_periods": """
        SELECT p.tenant_id, customer_id, subscription_id, starts_at,
          amount_minor * CASE billing_interval WHEN 'year' THEN 1 ELSE 12 END
          * CASE WHEN p.currency = reporting_currency THEN 1 ELSE (
            SELECT rate FROM fx_rates r
            WHERE r.tenant_id = p.tenant_id AND r.currency = p.currency AND valid_from = (
              SELECT max(valid_from) FROM fx_rates before
              WHERE before.tenant_id = p.tenant_id AND before.currency = p.currency
                AND before.valid_from <= (starts_at AT TIME ZONE 'UTC')::date
            )
          ) END
        FROM subscription_periods p JOIN tenants USING (tenant_id)""",
    "mrr_movements": f"{_WORTH} SELECT tenant_id, customer_id, month, movement, difference FROM moved",
    "mrr_month": f"""{_WORTH}
        SELECT tenant_id, month, movement, count(*), sum(difference) FROM moved GROUP BY 1, 2, 3""",
    "cohort_month (subscription)": f"""{_WORTH}
        SELECT tenant_id, 'subscription', cohort, month, count(*) FILTER (WHERE before = 0),
          count(*) FILTER (WHERE worth = 0)
        FROM moved WHERE before = 0 OR worth = 0 GROUP BY 1, 3, 4""",
    "cohort_month (order)": f"""{_ACTIVE}
        SELECT tenant_id, 'order', cohort, month, count(*) FILTER (WHERE now), count(*) FILTER (WHERE before)
        FROM stepped WHERE now <> before GROUP BY 1, 3, 4""",
}

STORED: Final[Mapping[str, str]] = {
    "sales_daily": """SELECT tenant_id, day, region, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM sales_daily""",
    "product_daily": """SELECT tenant_id, day, sku, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM product_daily""",
    "customer_month": """SELECT tenant_id, customer_id, month, currency, orders, revenue_minor, refunded_minor
        FROM customer_month""",
    "subscription_periods": """SELECT tenant_id, customer_id, subscription_id, starts_at, annual_minor
        FROM subscription_periods""",
    "mrr_movements": "SELECT tenant_id, customer_id, month, movement, annual_minor FROM mrr_movements",
    "mrr_month": "SELECT tenant_id, month, movement, customers, annual_minor FROM mrr_month",
    "cohort_month (subscription)": """SELECT tenant_id, basis, cohort, month, entered, left_off
        FROM cohort_month WHERE basis = 'subscription'""",
    "cohort_month (order)": """SELECT tenant_id, basis, cohort, month, entered, left_off
        FROM cohort_month WHERE basis = 'order'""",
}
"""The same columns, as stored."""
