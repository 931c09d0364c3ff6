-- The log is whole only if it reaches as far as its head: entries taken off its end have no later one to tell.
CREATE OR REPLACE FUNCTION first_broken_entry(tenant text) RETURNS bigint
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
    UNION ALL
    SELECT coalesce(last.entry, 0) + 1, (last.entry, last.hash) IS NOT DISTINCT FROM (head.entry, head.hash)
    FROM (SELECT tenant) AS asked (tenant_id)
    LEFT JOIN audit_heads AS head USING (tenant_id)
    LEFT JOIN (SELECT entry, hash FROM audit_logs WHERE tenant_id = tenant ORDER BY entry DESC LIMIT 1) AS last
      ON true
  ) AS chained
  WHERE NOT sound
);

-- A trigger on statements does not pass to partitions, as one on rows does.
CREATE OR REPLACE FUNCTION seal(partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format(
    'CREATE TRIGGER keep_all BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION refuse()', partition);
END
$$;
SELECT seal(inhrelid) FROM pg_inherits WHERE inhparent = 'audit_logs'::regclass;
