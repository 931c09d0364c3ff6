-- Sums of rows, kept up to date in the transaction that writes the rows. An order counts on the day, and in the
-- month, in which it was placed, whatever becomes of it later. Sums of money and goods are numeric: each amount
-- fits a bigint, and what they add up to need not.

CREATE TABLE sales_daily (
  tenant_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  -- '' where nobody said; XXX, ISO 4217's own for no currency, where nothing was priced.
  region text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL,
  orders bigint NOT NULL,
  confirmed bigint NOT NULL,
  rejected bigint NOT NULL,
  cancelled bigint NOT NULL,
  refunded bigint NOT NULL,
  units numeric NOT NULL,
  revenue_minor numeric NOT NULL,
  refunded_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, day, region, currency)
);
SELECT adopt('sales_daily');
GRANT SELECT, INSERT, UPDATE, DELETE ON sales_daily TO pulsequeue_projector;

CREATE TABLE product_daily (
  tenant_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  sku text COLLATE "C" NOT NULL,
  currency text COLLATE "C" NOT NULL,
  orders bigint NOT NULL,
  confirmed bigint NOT NULL,
  rejected bigint NOT NULL,
  cancelled bigint NOT NULL,
  refunded bigint NOT NULL,
  units numeric NOT NULL,
  revenue_minor numeric NOT NULL,
  refunded_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, day, sku, currency)
);
SELECT adopt('product_daily');
GRANT SELECT, INSERT, UPDATE, DELETE ON product_daily TO pulsequeue_projector;

-- Confirmed orders alone.
CREATE TABLE customer_month (
  tenant_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  currency text COLLATE "C" NOT NULL,
  orders bigint NOT NULL,
  revenue_minor numeric NOT NULL,
  refunded_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, customer_id, month, currency)
);
SELECT adopt('customer_month');
GRANT SELECT, INSERT, UPDATE, DELETE ON customer_month TO pulsequeue_projector;

CREATE TABLE mrr_month (
  tenant_id text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  movement text COLLATE "C" NOT NULL
    CHECK (movement IN ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
  customers bigint NOT NULL,
  annual_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, month, movement)
);
SELECT adopt('mrr_month');
GRANT SELECT, INSERT, UPDATE, DELETE ON mrr_month TO pulsequeue_projector;

-- Customers by their first month, and how many of them became active or stopped being so in a later one: how
-- many are active in a month is the sum up to it. A customer is active in months with a confirmed order
-- (basis 'order'), or with recurring revenue at their end (basis 'subscription').
CREATE TABLE cohort_month (
  tenant_id text COLLATE "C" NOT NULL,
  basis text COLLATE "C" NOT NULL CHECK (basis IN ('order', 'subscription')),
  cohort date NOT NULL CHECK (cohort = date_trunc('month', cohort)),
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  entered bigint NOT NULL,
  left_off bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, basis, cohort, month)
);
SELECT adopt('cohort_month');
GRANT SELECT, INSERT, UPDATE, DELETE ON cohort_month TO pulsequeue_projector;
