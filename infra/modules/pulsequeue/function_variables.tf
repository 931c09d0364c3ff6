# What each function is told: what scripts/environment/lambda_env.py does for the one-machine stack.
locals {
  # Full names follow from the environment's, so short ones do.
  deployed = jsonencode({
    functions = {
      for name, it in local.functions : name => { memoryMb = it.memoryMb, queue = can(it.subscriptions) }
    }
    tables      = keys(local.topology.tables)
    holdSeconds = local.hold_seconds
  })

  variables = {
    for name, it in local.functions : name => merge(
      {
        PULSEQUEUE_ENV          = var.environment
        PULSEQUEUE_FUNCTION     = name
        POWERTOOLS_SERVICE_NAME = name
        POWERTOOLS_LOG_LEVEL    = "INFO"
      },
      { for table in keys(try(it.tables, {})) : "${upper(replace(table, "-", "_"))}_TABLE" => "${local.prefix}-${table}" },
      { for secret in try(it.secrets, []) : "${upper(replace(secret, "-", "_"))}_PARAMETER" => "/${local.prefix}/${secret}" },
      { for told in ["BUS_NAME"] : told => local.prefix if try(it.publishes, false) },
      { for told in ["TOPOLOGY"] : told => local.deployed if try(it.readsMetrics, false) },
      { for told, value in local.database_variables : told => value if can(it.database) },
      {
        # The driver brings an OpenSSL of its own along, which looks for the authorities that "every system trusts"
        # where Lambda has none. botocore brings them along, in the same package.
        for told in ["SSL_CERT_FILE"] : told => "/var/task/botocore/cacert.pem"
        if can(it.database) && try(var.database.sslmode, "") == "verify-full"
      },
      { for told in ["DATABASE_ADMIN_SECRET"] : told => local.database_secret if try(it.database, "") == "owner" },
      { for told in ["HOLD_SECONDS"] : told => tostring(local.hold_seconds) if can(it.subscriptions) },
      {
        for told in ["ALLOWED_ORIGINS"] : told => join(" ", var.web_origins)
        if can(it.routes) && try(it.callers, "anyone") == "users"
      },
      {
        for told in ["STALE_SECONDS"] : told => tostring(local.settings.staleSeconds)
        if can(it.routes) && try(it.callers, "anyone") == "anyone"
      },
      { for told in ["POWERTOOLS_TRACE_DISABLED"] : told => "true" if !var.traced },
      var.more_variables,
    )
  }

  # RDS gives a secret that it rotates a name of its own; its ARN does as well.
  database_secret = coalesce(try(var.database.secret_name, null), "${local.prefix}-database")

  database_variables = {
    DATABASE_HOST    = try(var.database.host, "")
    DATABASE_PORT    = tostring(try(var.database.port, ""))
    DATABASE_NAME    = try(var.database.name, "")
    DATABASE_SSLMODE = try(var.database.sslmode, "")
  }
}
