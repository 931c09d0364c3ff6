-- Additive: files of a tenant's own, the loads of each, and their numbers as time series. The API's role alone reads and
-- writes them, within the tenant of its transaction (policy `tenant`).
CREATE TABLE datasets (
  tenant_id text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  created_by text NOT NULL,
  -- Each upload is a load, numbered from 1.
  loads bigint NOT NULL DEFAULT 0,
  -- The load whose rows are read; none until the first is ready.
  current_load bigint,
  -- As confirmed for the last load: how the next file is read, too.
  recipe jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, dataset_id)
);
SELECT adopt('datasets');
GRANT INSERT, UPDATE, DELETE ON datasets TO pulsequeue_api;

CREATE TABLE dataset_loads (
  tenant_id text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  load_id bigint NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (
    state IN ('waiting', 'uploaded', 'inspected', 'loading', 'ready', 'replaced', 'unchanged', 'failed')),
  file_name text NOT NULL,
  -- Loaded without a confirmation, where nothing has to be asked.
  automatic boolean NOT NULL,
  created_by text NOT NULL,
  bytes bigint,
  content_hash text,
  inspection jsonb,
  recipe jsonb,
  records bigint,
  loaded bigint,
  rejected bigint,
  first_rejects jsonb,
  -- Of the rows loaded, those whose numbers are in dataset_points. A killed load goes on from here.
  copied bigint NOT NULL DEFAULT 0,
  reason text,
  kpis text[] NOT NULL DEFAULT '{}',
  dimensions text[] NOT NULL DEFAULT '{}',
  first_at timestamptz,
  last_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, dataset_id, load_id)
);
SELECT adopt('dataset_loads');
GRANT INSERT, UPDATE, DELETE ON dataset_loads TO pulsequeue_api;

CREATE TABLE dataset_points (
  tenant_id text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  load_id bigint NOT NULL,
  kpi text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  -- Of the load, counted from 0.
  row_number bigint NOT NULL,
  value double precision NOT NULL,
  dimensions jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, dataset_id, load_id, kpi, at, row_number)
) PARTITION BY RANGE (at);
SELECT adopt('dataset_points');
GRANT INSERT, DELETE ON dataset_points TO pulsequeue_api;

-- By hour, and by each member of a dimension; the dimension '' is the sum over all of them.
CREATE TABLE dataset_hours (
  tenant_id text COLLATE "C" NOT NULL,
  dataset_id text COLLATE "C" NOT NULL,
  load_id bigint NOT NULL,
  kpi text COLLATE "C" NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  hour timestamptz NOT NULL,
  member text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  sum double precision NOT NULL,
  min double precision NOT NULL,
  max double precision NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant_id, dataset_id, load_id, kpi, dimension, hour, member)
);
SELECT adopt('dataset_hours');
GRANT INSERT, DELETE ON dataset_hours TO pulsequeue_api;

-- A file may hold any month, so they are made when a load needs them: as the owner, and within limits, because the role
-- that loads may not make tables. Attached, not created in place: reads of other months go on meanwhile.
CREATE FUNCTION make_dataset_partitions(months date[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  month date;
  made text;
BEGIN
  PERFORM pg_advisory_xact_lock('dataset_points'::regclass::oid::bigint);
  FOREACH month IN ARRAY months LOOP
    month := date_trunc('month', month)::date;
    IF month < '1970-01-01' OR month > '2099-12-01' THEN
      RAISE EXCEPTION '% is outside 1970 to 2099', month USING ERRCODE = 'datetime_field_overflow';
    END IF;
    made := 'dataset_points_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass(made) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE dataset_points INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made);
    EXECUTE format(
      'ALTER TABLE dataset_points ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', made,
      month::timestamp AT TIME ZONE 'UTC', (month + interval '1 month')::timestamp AT TIME ZONE 'UTC');
    PERFORM seal(made::regclass);
  END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION make_dataset_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_dataset_partitions TO pulsequeue_api;
