-- Additive: what the release before this one reads and writes still works.

-- The exact total of the lines of a SKU, which may have several prices. NULL in rows of before: there, quantity times
-- price is the total.
ALTER TABLE order_items ADD COLUMN total_minor bigint;

-- The part of a change that comes from exchange rates alone, beside the movement or, as 'exchange', without one.
-- It is signed.
ALTER TABLE mrr_movements ADD COLUMN exchange_minor numeric NOT NULL DEFAULT 0;

-- In a block, because each of these checks replaces a narrower one: whatever earlier code writes still passes.
DO $$
BEGIN
  -- A week is 1/52 of a year, a quarter 1/4.
  ALTER TABLE subscriptions
    DROP CONSTRAINT subscriptions_billing_interval_check,
    ADD CONSTRAINT subscriptions_billing_interval_check
      CHECK (billing_interval IN ('week', 'month', 'quarter', 'year'));
  ALTER TABLE subscription_periods
    DROP CONSTRAINT subscription_periods_billing_interval_check,
    ADD CONSTRAINT subscription_periods_billing_interval_check
      CHECK (billing_interval IN ('week', 'month', 'quarter', 'year'));
  ALTER TABLE mrr_movements
    DROP CONSTRAINT mrr_movements_movement_check,
    ADD CONSTRAINT mrr_movements_movement_check
      CHECK (movement IN ('new', 'expansion', 'contraction', 'churn', 'reactivation', 'exchange')),
    DROP CONSTRAINT mrr_movements_annual_minor_check,
    ADD CONSTRAINT mrr_movements_annual_minor_check
      CHECK (CASE movement WHEN 'exchange' THEN annual_minor = 0 AND exchange_minor <> 0 ELSE annual_minor > 0 END);
  ALTER TABLE mrr_month
    DROP CONSTRAINT mrr_month_movement_check,
    ADD CONSTRAINT mrr_month_movement_check
      CHECK (movement IN ('new', 'expansion', 'contraction', 'churn', 'reactivation', 'exchange'));
END
$$;
CREATE INDEX mrr_movements_by_month ON mrr_movements (tenant_id, month, movement, customer_id);

-- The defaults of a tenant, which also hold for one without a row: its first event may still be on its way.
CREATE FUNCTION default_visibility() RETURNS TABLE (role text, metric text, visible boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT role, metric, NOT (role = 'viewer' AND metric IN ('mrr', 'churn'))
  FROM unnest(ARRAY['admin', 'editor', 'viewer']) AS role,
       unnest(ARRAY['orders', 'mrr', 'churn', 'cohorts', 'summary', 'pipeline', 'sales']) AS metric
$$;
CREATE FUNCTION default_rules() RETURNS TABLE (metric text, rule text, setting jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  VALUES ('mrr', 'audited', 'null'::jsonb), ('churn', 'audited', 'null'), ('cohorts', 'audited', 'null'),
         ('orders', 'customers_hidden_from', '["viewer"]')
$$;
CREATE OR REPLACE FUNCTION give_defaults() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO role_metric_visibility (tenant_id, role, metric, visible)
  SELECT NEW.tenant_id, role, metric, visible FROM default_visibility()
  ON CONFLICT DO NOTHING;
  INSERT INTO governance_rules (tenant_id, metric, rule, setting)
  SELECT NEW.tenant_id, metric, rule, setting FROM default_rules()
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
