-- Additive. What is written by the release before this one is missing here until a rebuild.

CREATE TABLE channel_daily (
  tenant_id text COLLATE "C" NOT NULL,
  day date NOT NULL,
  -- '' where nobody said.
  channel text COLLATE "C" NOT NULL,
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
  PRIMARY KEY (tenant_id, day, channel, currency)
);
SELECT adopt('channel_daily');
GRANT SELECT, INSERT, UPDATE, DELETE ON channel_daily TO pulsequeue_projector;

-- A year of products from 12 rows of each instead of 365.
CREATE TABLE product_month (
  tenant_id text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (month = date_trunc('month', month)),
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
  PRIMARY KEY (tenant_id, month, sku, currency)
);
SELECT adopt('product_month');
GRANT SELECT, INSERT, UPDATE, DELETE ON product_month TO pulsequeue_projector;

INSERT INTO channel_daily (tenant_id, day, channel, currency, orders, confirmed, rejected, cancelled, refunded,
  units, revenue_minor, refunded_minor)
SELECT tenant_id, (placed_at AT TIME ZONE 'UTC')::date, coalesce(channel, ''), coalesce(currency, 'XXX'), count(*),
  count(*) FILTER (WHERE sold), count(*) FILTER (WHERE status = 'REJECTED'),
  count(*) FILTER (WHERE status = 'CANCELLED'), count(*) FILTER (WHERE status = 'REFUNDED'),
  coalesce(sum(units) FILTER (WHERE sold), 0), coalesce(sum(amount_minor) FILTER (WHERE sold), 0),
  coalesce(sum(refunded_minor) FILTER (WHERE status = 'REFUNDED'), 0)
FROM (
  SELECT o.*, p.refunded_minor, o.status IN ('CONFIRMED', 'REFUNDED') AS sold
  FROM orders o LEFT JOIN payments p USING (tenant_id, order_id)
) AS placed
GROUP BY 1, 2, 3, 4;

INSERT INTO product_month (tenant_id, month, sku, currency, orders, confirmed, rejected, cancelled, refunded,
  units, revenue_minor, refunded_minor)
SELECT tenant_id, date_trunc('month', day)::date, sku, currency, sum(orders), sum(confirmed), sum(rejected),
  sum(cancelled), sum(refunded), sum(units), sum(revenue_minor), sum(refunded_minor)
FROM product_daily
GROUP BY 1, 2, 3, 4;
