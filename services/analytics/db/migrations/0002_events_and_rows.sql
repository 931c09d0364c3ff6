-- What was heard, and the rows that follow from it. Rows are a function of the events: no foreign keys, because
-- events come in any order, and nobody but the projector writes here.

-- Every event once. The key is the order in which they are read back: all of one subject together. A
-- publisher who gives the same id to events about different subjects still means different events.
CREATE TABLE event_inbox (
  tenant_id text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('order', 'subscription', 'sku')),
  -- The order; the customer of a subscription, whose subscriptions are counted together; the SKU.
  subject text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  occurred_at timestamptz NOT NULL,
  detail jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, kind, subject, event, event_id)
);
SELECT adopt('event_inbox');
GRANT SELECT, INSERT ON event_inbox TO pulsequeue_projector;

-- How far the projection is, for `asOf` and as the version that answers are cached by.
CREATE TABLE projection_checkpoints (
  tenant_id text COLLATE "C" NOT NULL,
  projection text COLLATE "C" NOT NULL,
  events bigint NOT NULL,
  last_event_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, projection)
);
SELECT adopt('projection_checkpoints');
GRANT SELECT, INSERT, UPDATE ON projection_checkpoints TO pulsequeue_projector;

CREATE TABLE orders (
  tenant_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C",
  status text COLLATE "C" NOT NULL
    CHECK (status IN ('PLACED', 'RESERVED', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED')),
  reason text,
  region text,
  channel text,
  payment_method text,
  amount_minor bigint CHECK (amount_minor >= 0),
  currency text,
  units bigint NOT NULL,
  placed_at timestamptz NOT NULL,
  reserved_at timestamptz,
  confirmed_at timestamptz,
  ended_at timestamptz,
  -- How many events the row was made from; a row never gives way to one made from fewer.
  version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, order_id)
);
CREATE INDEX orders_newest ON orders (tenant_id, placed_at DESC, order_id DESC);
CREATE INDEX orders_by_status ON orders (tenant_id, status, placed_at DESC, order_id DESC);
CREATE INDEX orders_by_customer ON orders (tenant_id, customer_id, placed_at DESC, order_id DESC);
SELECT adopt('orders');
GRANT SELECT, INSERT, UPDATE ON orders TO pulsequeue_projector;

CREATE TABLE order_items (
  tenant_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  sku text COLLATE "C" NOT NULL,
  quantity bigint NOT NULL CHECK (quantity > 0),
  unit_price_minor bigint CHECK (unit_price_minor >= 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, order_id, sku)
);
SELECT adopt('order_items');
GRANT SELECT, INSERT, UPDATE, DELETE ON order_items TO pulsequeue_projector;

CREATE TABLE payments (
  tenant_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('REQUESTED', 'SUCCEEDED', 'FAILED', 'REFUNDED')),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  charge_id text,
  reason text,
  refund_id text,
  refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
  requested_at timestamptz,
  answered_at timestamptz,
  refunded_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, order_id)
);
SELECT adopt('payments');
GRANT SELECT, INSERT, UPDATE ON payments TO pulsequeue_projector;

-- What has to be sent, or has come back.
CREATE TABLE fulfillment (
  tenant_id text COLLATE "C" NOT NULL,
  order_id text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL CHECK (status IN ('DUE', 'CALLED_OFF', 'RETURNED')),
  units bigint NOT NULL,
  due_at timestamptz NOT NULL,
  ended_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, order_id)
);
SELECT adopt('fulfillment');
GRANT SELECT, INSERT, UPDATE ON fulfillment TO pulsequeue_projector;

-- What there is to sell, as the newest adjustment of its stock tells.
CREATE TABLE products (
  tenant_id text COLLATE "C" NOT NULL,
  sku text COLLATE "C" NOT NULL,
  name text,
  stock bigint NOT NULL,
  available bigint NOT NULL,
  unit_price_minor bigint NOT NULL,
  currency text NOT NULL,
  told_at timestamptz NOT NULL,
  told_by text COLLATE "C" NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, sku)
);
SELECT adopt('products');
GRANT SELECT, INSERT, UPDATE ON products TO pulsequeue_projector;

CREATE TABLE subscriptions (
  tenant_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  subscription_id text COLLATE "C" NOT NULL,
  plan text NOT NULL,
  billing_interval text NOT NULL CHECK (billing_interval IN ('month', 'year')),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  reason text,
  version integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, customer_id, subscription_id)
);
SELECT adopt('subscriptions');
GRANT SELECT, INSERT, UPDATE ON subscriptions TO pulsequeue_projector;

-- The terms of a subscription while they held: [starts_at, ends_at).
CREATE TABLE subscription_periods (
  tenant_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  subscription_id text COLLATE "C" NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz CHECK (ends_at > starts_at),
  plan text NOT NULL,
  billing_interval text NOT NULL CHECK (billing_interval IN ('month', 'year')),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  currency text NOT NULL,
  -- A year's worth in the tenant's currency, at the rate of the day the terms began. A year's, because a twelfth
  -- of it is not a decimal number: months are made where they are shown.
  annual_minor numeric NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, customer_id, subscription_id, starts_at)
);
SELECT adopt('subscription_periods');
GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_periods TO pulsequeue_projector;

-- How a customer's recurring revenue at the end of a month differs from that at the end of the month before.
CREATE TABLE mrr_movements (
  tenant_id text COLLATE "C" NOT NULL,
  customer_id text COLLATE "C" NOT NULL,
  month date NOT NULL CHECK (month = date_trunc('month', month)),
  movement text COLLATE "C" NOT NULL
    CHECK (movement IN ('new', 'expansion', 'contraction', 'churn', 'reactivation')),
  -- Never negative: contraction and churn say how much was lost.
  annual_minor numeric NOT NULL CHECK (annual_minor > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, customer_id, month)
);
SELECT adopt('mrr_movements');
GRANT SELECT, INSERT, UPDATE, DELETE ON mrr_movements TO pulsequeue_projector;
