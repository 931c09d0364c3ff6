-- Who read what, in chains: each entry carries the hash of the one before it, so that none can be changed or
-- taken out without every later one telling.

CREATE TABLE audit_heads (
  tenant_id text COLLATE "C" PRIMARY KEY,
  entry bigint NOT NULL,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SELECT adopt('audit_heads');

CREATE TABLE audit_logs (
  tenant_id text COLLATE "C" NOT NULL,
  entry bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  user_id text NOT NULL,
  role text NOT NULL,
  action text NOT NULL,
  metric text NOT NULL,
  details jsonb NOT NULL,
  previous_hash bytea NOT NULL,
  hash bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, at, entry)
) PARTITION BY RANGE (at);
SELECT adopt('audit_logs');
GRANT INSERT (tenant_id, user_id, role, action, metric, details) ON audit_logs TO pulsequeue_api;

-- What is hashed of an entry, after the hash before it. Spelled once, for whoever writes and whoever verifies.
CREATE FUNCTION audit_hash(previous bytea, entry audit_logs) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(previous || convert_to(jsonb_build_array(
  entry.tenant_id, entry.entry, extract(epoch FROM entry.at), entry.user_id, entry.role, entry.action,
  entry.metric, entry.details
)::text, 'UTF8'));

-- Runs as the owner: whoever writes an entry has no say in its place, its time or its hash.
CREATE FUNCTION chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  head audit_heads;
BEGIN
  INSERT INTO audit_heads (tenant_id, entry, hash) VALUES (NEW.tenant_id, 0, sha256(''))
  ON CONFLICT DO NOTHING;
  SELECT * INTO STRICT head FROM audit_heads WHERE tenant_id = NEW.tenant_id FOR UPDATE;
  NEW.entry := head.entry + 1;
  NEW.previous_hash := head.hash;
  NEW.hash := audit_hash(head.hash, NEW);
  UPDATE audit_heads SET entry = NEW.entry, hash = NEW.hash WHERE tenant_id = NEW.tenant_id;
  RETURN NEW;
END
$$;
CREATE TRIGGER chain BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION chain();

CREATE FUNCTION refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'entries of the audit log are never changed or removed'
    USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON audit_logs FOR EACH STATEMENT EXECUTE FUNCTION refuse();

-- A month is made ahead of its time, each time the migrations are run. Were they not run for two years, entries would
-- go to audit_logs_other, and nothing would fail.
CREATE FUNCTION make_audit_partitions(months_ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  first timestamp;
  starts timestamptz;
  ends timestamptz;
  made text;
BEGIN
  FOR ahead IN 0..months_ahead LOOP
    first := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
    starts := first AT TIME ZONE 'UTC';
    ends := (first + interval '1 month') AT TIME ZONE 'UTC';
    made := 'audit_logs_' || to_char(first, 'YYYY_MM');
    CONTINUE WHEN to_regclass(made) IS NOT NULL
      OR EXISTS (SELECT FROM audit_logs WHERE tableoid = 'audit_logs_other'::regclass AND at >= starts AND at < ends);
    EXECUTE format('CREATE TABLE %I PARTITION OF audit_logs FOR VALUES FROM (%L) TO (%L)', made, starts, ends);
    PERFORM seal(made::regclass);
  END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION make_audit_partitions FROM PUBLIC;

-- Partitions are read through their table alone: read directly, its policies would not hold.
CREATE FUNCTION seal(partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', partition);
END
$$;

CREATE TABLE audit_logs_other PARTITION OF audit_logs DEFAULT;
SELECT seal('audit_logs_other');

-- Tells the first entry of a tenant that is not what it was, or NULL when all are.
CREATE FUNCTION first_broken_entry(tenant text) RETURNS bigint
LANGUAGE sql STABLE
RETURN (
  SELECT min(entry) FROM (
    SELECT entry,
           hash = audit_hash(previous_hash, audit_logs)
             AND previous_hash = lag(hash, 1, sha256('')) OVER by_entry
             AND entry = row_number() OVER by_entry AS sound
    FROM audit_logs
    WHERE tenant_id = tenant
    WINDOW by_entry AS (ORDER BY entry)
  ) AS chained
  WHERE NOT sound
);
