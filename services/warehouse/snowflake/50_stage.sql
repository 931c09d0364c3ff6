-- Run as ACCOUNTADMIN: reads the export from S3 as an AWS role, without keys.
-- DESC INTEGRATION shows the user and the external id that the trust policy of that AWS role has to name.

CREATE STORAGE INTEGRATION IF NOT EXISTS ${prefix}_EXPORT
  TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE
  STORAGE_AWS_ROLE_ARN = '${aws_role}'
  STORAGE_ALLOWED_LOCATIONS = ('${url}');

DESC INTEGRATION ${prefix}_EXPORT;

CREATE STAGE IF NOT EXISTS ${prefix}.RAW.PULSEQUEUE_EXPORT
  URL = '${url}' STORAGE_INTEGRATION = ${prefix}_EXPORT
  FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE);

GRANT USAGE ON STAGE ${prefix}.RAW.PULSEQUEUE_EXPORT TO ROLE ${prefix}_LOADER;
