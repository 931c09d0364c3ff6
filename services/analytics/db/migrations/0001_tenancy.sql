-- Who the data belongs to, who may see it, and what keeps them apart.
--
-- Three roles: pulsequeue_owner owns everything and runs these files; pulsequeue_projector writes what
-- events say; pulsequeue_api answers questions, owns nothing, and sees nothing until a transaction says for
-- which tenant. They exist before the first of these files runs (../roles.sql).

-- The tenant of this transaction. Once set and reset in a session, the setting is '' rather than NULL; both are nobody.
CREATE FUNCTION current_tenant() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant_id', true), '');

CREATE FUNCTION touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  NEW.created_at := OLD.created_at;
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

-- What every table has: updated_at kept by a trigger, and row-level security that its owner obeys, too.
CREATE FUNCTION adopt(adopted regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch()', adopted);
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', adopted);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', adopted);
  EXECUTE format('CREATE POLICY owner ON %s TO pulsequeue_owner USING (true) WITH CHECK (true)', adopted);
  EXECUTE format(
    'CREATE POLICY projector ON %s TO pulsequeue_projector USING (true) WITH CHECK (true)', adopted);
  EXECUTE format(
    'CREATE POLICY tenant ON %s TO pulsequeue_api '
    'USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))',
    adopted);
  EXECUTE format('GRANT SELECT ON %s TO pulsequeue_api', adopted);
END
$$;

CREATE TABLE tenants (
  tenant_id text COLLATE "C" PRIMARY KEY,
  name text,
  -- What recurring revenue is told in. Other currencies are converted by fx_rates.
  reporting_currency text NOT NULL DEFAULT 'USD' CHECK (reporting_currency ~ '^[A-Z]{3}$'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT adopt('tenants');
GRANT SELECT, INSERT ON tenants TO pulsequeue_projector;

-- Who has asked, as their token names them. No mail address, no name: those stay in the user pool.
CREATE TABLE users (
  tenant_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
  last_seen_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, user_id)
);
SELECT adopt('users');
GRANT INSERT, UPDATE ON users TO pulsequeue_api;

-- Which role sees which metric. What is not listed is not seen.
CREATE TABLE role_metric_visibility (
  tenant_id text COLLATE "C" NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'editor', 'viewer')),
  metric text COLLATE "C" NOT NULL,
  visible boolean NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, role, metric)
);
SELECT adopt('role_metric_visibility');
GRANT INSERT ON role_metric_visibility TO pulsequeue_projector;

-- What is special about a metric: that its readers are noted, that small groups are not told, that
-- customers are not named to some roles.
CREATE TABLE governance_rules (
  tenant_id text COLLATE "C" NOT NULL,
  metric text COLLATE "C" NOT NULL,
  rule text NOT NULL CHECK (rule IN ('audited', 'smallest_group', 'customers_hidden_from')),
  -- Of smallest_group a number, of customers_hidden_from a list of roles.
  setting jsonb NOT NULL DEFAULT 'null',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, metric, rule),
  -- A rule that would have no effect is not taken for one that has.
  CHECK (CASE rule
    WHEN 'audited' THEN setting = 'null'
    WHEN 'smallest_group' THEN metric = 'cohorts' AND jsonb_typeof(setting) = 'number'
    ELSE metric = 'orders' AND jsonb_typeof(setting) = 'array'
  END)
);
SELECT adopt('governance_rules');
GRANT INSERT ON governance_rules TO pulsequeue_projector;

-- A tenant begins with these; whoever administers it may change them.
CREATE FUNCTION give_defaults() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO role_metric_visibility (tenant_id, role, metric, visible)
  SELECT NEW.tenant_id, role, metric, NOT (role = 'viewer' AND metric IN ('mrr', 'churn'))
  FROM unnest(ARRAY['admin', 'editor', 'viewer']) AS role,
       unnest(ARRAY['orders', 'mrr', 'churn', 'cohorts', 'summary', 'pipeline', 'sales']) AS metric
  ON CONFLICT DO NOTHING;
  INSERT INTO governance_rules (tenant_id, metric, rule, setting)
  VALUES (NEW.tenant_id, 'mrr', 'audited', 'null'),
         (NEW.tenant_id, 'churn', 'audited', 'null'),
         (NEW.tenant_id, 'cohorts', 'audited', 'null'),
         (NEW.tenant_id, 'orders', 'customers_hidden_from', '["viewer"]')
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER give_defaults AFTER INSERT ON tenants FOR EACH ROW EXECUTE FUNCTION give_defaults();
