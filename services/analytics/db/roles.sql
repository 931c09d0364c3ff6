-- The roles that own, write and read, and the schema that they work in. Run by whoever administers the server,
-- before the migrations, when one of the roles is missing. Afterwards the administrator is a member of the roles
-- that he created (PostgreSQL 16), by way of them of rds_iam, and RDS refuses his password: everything else is left
-- to the owner.
DO $$
DECLARE
  needed text;
BEGIN
  FOREACH needed IN ARRAY ARRAY['pulsequeue_owner', 'pulsequeue_projector', 'pulsequeue_api'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = needed) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', needed);
    END IF;
    -- On RDS this is what lets a role in by an IAM token, and by nothing else.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
      EXECUTE format('GRANT rds_iam TO %I', needed);
    END IF;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO pulsequeue_owner, pulsequeue_projector, pulsequeue_api',
                 current_database());
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- Not given the schema, which only a member of that role could do: on RDS a member of a role that IAM lets in
-- is refused with his password.
GRANT USAGE, CREATE ON SCHEMA public TO pulsequeue_owner;
GRANT USAGE ON SCHEMA public TO pulsequeue_projector, pulsequeue_api;

ALTER ROLE pulsequeue_api SET statement_timeout = '8s';
ALTER ROLE pulsequeue_api SET idle_in_transaction_session_timeout = '30s';
ALTER ROLE pulsequeue_api SET timezone = 'UTC';
ALTER ROLE pulsequeue_projector SET statement_timeout = '25s';
ALTER ROLE pulsequeue_projector SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE pulsequeue_projector SET timezone = 'UTC';
ALTER ROLE pulsequeue_owner SET timezone = 'UTC';
