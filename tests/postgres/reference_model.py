"""The expected rollups, computed from the plain rows by the most obvious SQL, however slow."""

from collections.abc import Mapping
from typing import Final

_ORDERS = """
WITH sold AS (
  SELECT o.*, (o.placed_at AT TIME ZONE 'UTC')::date AS day,
    date_trunc('month', o.placed_at AT TIME ZONE 'UTC')::date AS month,
    coalesce(o.currency, 'XXX') AS money, coalesce(o.region, '') AS place,
    o.status IN ('CONFIRMED', 'REFUNDED') AS is_sold,
    CASE WHEN o.status IN ('CONFIRMED', 'REFUNDED') THEN coalesce(p.refunded_minor, 0) ELSE 0 END
      AS given_back
  FROM orders o LEFT JOIN payments p USING (tenant_id, order_id)
)
"""

# What was given back is divided among the lines of an order, in the order of their SKUs.
_SHARES = """,
amounts AS (
  SELECT *, coalesce(total_minor, 0) AS total,
    sum(coalesce(total_minor, 0)) OVER (PARTITION BY tenant_id, order_id ORDER BY sku) AS reached,
    sum(coalesce(total_minor, 0)) OVER (PARTITION BY tenant_id, order_id) AS whole
  FROM sold JOIN order_items USING (tenant_id, order_id)
),
shares AS (SELECT *, least(given_back, whole) AS part FROM amounts)
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

_PRICED = """
steps AS (
  SELECT p.*, t.reporting_currency,
    amount_minor * CASE billing_interval
      WHEN 'year' THEN 1 WHEN 'quarter' THEN 4 WHEN 'month' THEN 12 ELSE 52 END AS own,
    (amount_minor, billing_interval, p.currency, starts_at) IS DISTINCT FROM
      (lag(amount_minor) OVER terms, lag(billing_interval) OVER terms, lag(p.currency) OVER terms,
       lag(ends_at) OVER terms) AS repriced
  FROM subscription_periods p JOIN tenants t USING (tenant_id)
  WINDOW terms AS (PARTITION BY tenant_id, customer_id, subscription_id ORDER BY starts_at)
),
-- The same price without a gap keeps the exchange rate of its first day.
islands AS (
  SELECT *, max(starts_at) FILTER (WHERE repriced)
    OVER (PARTITION BY tenant_id, customer_id, subscription_id ORDER BY starts_at) AS rated_at
  FROM steps
),
priced AS (
  SELECT *, CASE WHEN currency = reporting_currency THEN 1 ELSE (
    SELECT rate FROM fx_rates r
    WHERE r.tenant_id = i.tenant_id AND r.currency = i.currency
      AND valid_from <= (rated_at AT TIME ZONE 'UTC')::date
    ORDER BY valid_from DESC LIMIT 1
  ) END AS rate
  FROM islands i
)
"""

_WORTH = f"""
WITH {_CALENDAR}, {_PRICED},
contracts AS (SELECT DISTINCT tenant_id, customer_id, subscription_id FROM subscription_periods),
ends AS (
  SELECT c.*, month, coalesce(own, 0) AS own, currency, coalesce(rate, 0) AS rate
  FROM contracts c CROSS JOIN calendar
  -- in force in the last moment of the month
  LEFT JOIN priced p ON (p.tenant_id, p.customer_id, p.subscription_id)
      = (c.tenant_id, c.customer_id, c.subscription_id)
    AND starts_at < next::timestamp AT TIME ZONE 'UTC'
    AND (ends_at IS NULL OR ends_at >= next::timestamp AT TIME ZONE 'UTC')
),
neighbours AS (
  SELECT *, coalesce(lag(own) OVER months, 0) AS own_before, lag(currency) OVER months AS currency_before,
    coalesce(lag(rate) OVER months, 0) AS rate_before
  FROM ends WINDOW months AS (PARTITION BY tenant_id, customer_id, subscription_id ORDER BY month)
),
changes AS (
  SELECT tenant_id, customer_id, month, sum(own * rate) AS worth, sum(own_before * rate_before) AS before,
    sum(CASE WHEN own > 0 AND own_before > 0 AND currency = currency_before
      THEN own_before * (rate - rate_before) ELSE 0 END) AS exchange
  FROM neighbours GROUP BY 1, 2, 3
),
compared AS (
  SELECT *, worth - before - exchange AS price,
    coalesce(max(worth) OVER (months ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS known,
    min(month) FILTER (WHERE worth > 0) OVER (PARTITION BY tenant_id, customer_id) AS cohort
  FROM changes WINDOW months AS (PARTITION BY tenant_id, customer_id ORDER BY month)
),
moved AS (
  SELECT *, abs(price) AS difference,
    CASE
      WHEN price = 0 THEN 'exchange'
      WHEN before = 0 AND NOT known THEN 'new'
      WHEN before = 0 THEN 'reactivation'
      WHEN worth = 0 THEN 'churn'
      WHEN price > 0 THEN 'expansion'
      ELSE 'contraction'
    END AS movement
  FROM compared WHERE price <> 0 OR exchange <> 0
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
    "product_daily": f"""{_ORDERS}{_SHARES}
        SELECT tenant_id, day, sku, money, {_OUTCOMES},
          coalesce(sum(quantity) FILTER (WHERE is_sold), 0),
          coalesce(sum(total_minor) FILTER (WHERE is_sold), 0),
          sum(coalesce(trunc(part * reached / nullif(whole, 0)), 0)
            - coalesce(trunc(part * (reached - total) / nullif(whole, 0)), 0))
        FROM shares GROUP BY 1, 2, 3, 4""",
    "channel_daily": f"""{_ORDERS}
        SELECT tenant_id, day, coalesce(channel, ''), money, {_OUTCOMES},
          coalesce(sum(units) FILTER (WHERE is_sold), 0),
          coalesce(sum(amount_minor) FILTER (WHERE is_sold), 0), sum(given_back)
        FROM sold GROUP BY 1, 2, 3, 4""",
    "product_month": f"""{_ORDERS}{_SHARES}
        SELECT tenant_id, month, sku, money, {_OUTCOMES},
          coalesce(sum(quantity) FILTER (WHERE is_sold), 0),
          coalesce(sum(total_minor) FILTER (WHERE is_sold), 0),
          sum(coalesce(trunc(part * reached / nullif(whole, 0)), 0)
            - coalesce(trunc(part * (reached - total) / nullif(whole, 0)), 0))
        FROM shares GROUP BY 1, 2, 3, 4""",
    "customer_month": f"""{_ORDERS}
        SELECT tenant_id, customer_id, month, money, count(*), sum(amount_minor), sum(given_back)
        FROM sold WHERE is_sold GROUP BY 1, 2, 3, 4""",
    "subscription_periods": f"""WITH {_PRICED}
        SELECT tenant_id, customer_id, subscription_id, starts_at, own * rate FROM priced""",
    "mrr_movements": f"""{_WORTH}
        SELECT tenant_id, customer_id, month, movement, difference, exchange FROM moved""",
    "mrr_month": f"""{_WORTH}
        SELECT tenant_id, month, movement, count(*), sum(difference) FROM moved
        WHERE movement <> 'exchange' GROUP BY 1, 2, 3
        UNION ALL SELECT tenant_id, month, 'exchange', count(*), sum(exchange) FROM moved
        WHERE exchange <> 0 GROUP BY 1, 2""",
    "cohort_month (subscription)": f"""{_WORTH}
        SELECT tenant_id, 'subscription', cohort, month, count(*) FILTER (WHERE before = 0),
          count(*) FILTER (WHERE worth = 0)
        FROM moved WHERE before = 0 OR worth = 0 GROUP BY 1, 3, 4""",
    "cohort_revenue (subscription)": f"""{_WORTH}
        SELECT tenant_id, 'subscription', cohort, month, 'XXX', sum(worth - before), 0
        FROM moved GROUP BY 1, 3, 4 HAVING sum(worth - before) <> 0""",
    "cohort_revenue (order)": f"""{_ORDERS},
        firsts AS (SELECT tenant_id, customer_id, min(month) AS cohort FROM sold WHERE is_sold GROUP BY 1, 2)
        SELECT tenant_id, 'order', cohort, month, money, sum(amount_minor), sum(given_back)
        FROM sold JOIN firsts USING (tenant_id, customer_id) WHERE is_sold GROUP BY 1, 3, 4, 5
        HAVING sum(amount_minor) <> 0 OR sum(given_back) <> 0""",
    "cohort_month (order)": f"""{_ACTIVE}
        SELECT tenant_id, 'order', cohort, month, count(*) FILTER (WHERE now), count(*) FILTER (WHERE before)
        FROM stepped WHERE now <> before GROUP BY 1, 3, 4""",
}

STORED: Final[Mapping[str, str]] = {
    "sales_daily": """SELECT tenant_id, day, region, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM sales_daily""",
    "product_daily": """SELECT tenant_id, day, sku, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM product_daily""",
    "channel_daily": """SELECT tenant_id, day, channel, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM channel_daily""",
    "product_month": """SELECT tenant_id, month, sku, currency, orders, confirmed, rejected, cancelled,
        refunded, units, revenue_minor, refunded_minor FROM product_month""",
    "customer_month": """SELECT tenant_id, customer_id, month, currency, orders, revenue_minor, refunded_minor
        FROM customer_month""",
    "subscription_periods": """SELECT tenant_id, customer_id, subscription_id, starts_at, annual_minor
        FROM subscription_periods""",
    "mrr_movements": """SELECT tenant_id, customer_id, month, movement, annual_minor, exchange_minor
        FROM mrr_movements""",
    "mrr_month": "SELECT tenant_id, month, movement, customers, annual_minor FROM mrr_month",
    "cohort_month (subscription)": """SELECT tenant_id, basis, cohort, month, entered, left_off
        FROM cohort_month WHERE basis = 'subscription'""",
    "cohort_revenue (subscription)": """SELECT tenant_id, basis, cohort, month, currency, revenue_minor,
        refunded_minor FROM cohort_revenue WHERE basis = 'subscription'""",
    "cohort_revenue (order)": """SELECT tenant_id, basis, cohort, month, currency, revenue_minor,
        refunded_minor FROM cohort_revenue WHERE basis = 'order'""",
    "cohort_month (order)": """SELECT tenant_id, basis, cohort, month, entered, left_off
        FROM cohort_month WHERE basis = 'order'""",
}
"""The same columns, as stored."""
