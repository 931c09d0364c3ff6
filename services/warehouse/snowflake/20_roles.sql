-- Run as SECURITYADMIN: one role loads, another one reads, and neither can do anything else.

CREATE ROLE IF NOT EXISTS ${prefix}_LOADER;
CREATE ROLE IF NOT EXISTS ${prefix}_READER;

CREATE USER IF NOT EXISTS ${prefix}_LOADER
  TYPE = SERVICE DEFAULT_ROLE = ${prefix}_LOADER DEFAULT_WAREHOUSE = ${prefix}_WH
  ${sign_in};

GRANT ROLE ${prefix}_LOADER TO USER ${prefix}_LOADER;
