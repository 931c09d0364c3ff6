-- Additive. What is written by the release before this one is missing here until a rebuild.

-- The customers that exchange rates moved in a month, in the order of a list of them.
CREATE INDEX mrr_movements_by_exchange ON mrr_movements (tenant_id, month, customer_id) WHERE exchange_minor <> 0;

-- The revenue of cohorts, month by month. Of orders (basis 'order'): what those placed in the month brought in, by
-- currency. Of subscriptions: how a year's worth changed in the month, in the tenant's currency, so that the sum up to
-- a month is what the cohort brings in then; its currency is XXX.
CREATE TABLE cohort_revenue (
  tenant_id text COLLATE "C" NOT NULL,
  basis text COLLATE "C" NOT NULL CHECK (basis IN ('order', 'subscription')),
  cohort date NOT NULL CHECK (cohort = date_trunc('month', cohort)),
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  currency text COLLATE "C" NOT NULL,
  revenue_minor numeric NOT NULL,
  refunded_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, basis, cohort, month, currency)
);
SELECT adopt('cohort_revenue');
GRANT SELECT, INSERT, UPDATE, DELETE ON cohort_revenue TO pulsequeue_projector;

INSERT INTO cohort_revenue (tenant_id, basis, cohort, month, currency, revenue_minor, refunded_minor)
SELECT tenant_id, 'order', cohort, month, currency, sum(revenue_minor), sum(refunded_minor)
FROM (
  SELECT *, min(month) OVER (PARTITION BY tenant_id, customer_id) AS cohort FROM customer_month
) AS bought
GROUP BY 1, 3, 4, 5
HAVING sum(revenue_minor) <> 0 OR sum(refunded_minor) <> 0;

INSERT INTO cohort_revenue (tenant_id, basis, cohort, month, currency, revenue_minor, refunded_minor)
SELECT tenant_id, 'subscription', cohort, month, 'XXX', sum(change), 0
FROM (
  SELECT tenant_id, month, min(month) OVER (PARTITION BY tenant_id, customer_id) AS cohort,
    CASE WHEN movement IN ('contraction', 'churn') THEN -annual_minor ELSE annual_minor END + exchange_minor AS change
  FROM mrr_movements
) AS moved
GROUP BY 1, 3, 4
HAVING sum(change) <> 0;
