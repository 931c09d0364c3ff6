-- Run as ACCOUNTADMIN. In place of the loader's COPY: S3 tells Snowflake of new files, and they arrive in a table of their
-- own within a minute. SHOW PIPES names the queue (notification_channel) that the bucket has to notify.
-- It never removes rows: a day that was exported again is there twice, and the newest `file` of a day counts.

CREATE TABLE IF NOT EXISTS ${prefix}.RAW.ORDERS_PIPED
  (file VARCHAR, export_day DATE, tenant_id VARCHAR, order_id VARCHAR, status VARCHAR, amount_minor NUMBER(38, 0),
   currency VARCHAR, placed_at TIMESTAMP_NTZ(6), updated_at TIMESTAMP_NTZ(6));

CREATE PIPE IF NOT EXISTS ${prefix}.RAW.ORDERS_PIPE AUTO_INGEST = TRUE AS
  COPY INTO ${prefix}.RAW.ORDERS_PIPED
  FROM (SELECT METADATA$$FILENAME, $$1:export_day::DATE, $$1:tenant_id::VARCHAR, $$1:order_id::VARCHAR,
               $$1:status::VARCHAR, $$1:amount_minor::NUMBER(38, 0), $$1:currency::VARCHAR,
               $$1:placed_at::TIMESTAMP_NTZ(6), $$1:updated_at::TIMESTAMP_NTZ(6)
        FROM @${prefix}.RAW.PULSEQUEUE_EXPORT/files/orders/)
  PATTERN = '.*[.]parquet';

SHOW PIPES IN SCHEMA ${prefix}.RAW;
