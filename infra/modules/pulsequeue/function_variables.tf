# Environment variables of each function. scripts/environment/lambda_env.py is the same for the local stack.
locals {
  # Short names suffice: full names are derived from the environment.
  deployed = jsonencode({
    functions = {
      for name, it in local.functions : name => { memoryMb = it.memoryMb, queue = can(it.subscriptions) || can(it.queue) }
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
      { for bucket in keys(try(it.buckets, {})) : "${upper(replace(bucket, "-", "_"))}_BUCKET" => local.bucket_names[bucket] },
      { for secret in try(it.secrets, []) : "${upper(replace(secret, "-", "_"))}_PARAMETER" => "/${local.prefix}/${secret}" },
      { for other in try(it.sendsTo, []) : "${upper(replace(other, "-", "_"))}_QUEUE" => "${local.prefix}-${other}" if other != name },
      { for variable in ["BUS_NAME"] : variable => local.prefix if try(it.publishes, false) },
      { for variable in ["TOPOLOGY"] : variable => local.deployed if try(it.readsMetrics, false) },
      { for variable, value in local.database_variables : variable => value if can(it.database) },
      {
        # The driver includes its own OpenSSL, which looks for certificate authorities in a folder that Lambda does not
        # have. botocore includes the certificates, in the same package.
        for variable in ["SSL_CERT_FILE"] : variable => "/var/task/botocore/cacert.pem"
        if can(it.database) && try(var.database.sslmode, "") == "verify-full"
      },
      { for variable in ["DATABASE_ADMIN_SECRET"] : variable => local.database_secret if try(it.database, "") == "owner" },
      { for variable in ["HOLD_SECONDS"] : variable => tostring(local.hold_seconds) if can(it.subscriptions) || can(it.queue) },
      {
        for variable in ["ALLOWED_ORIGINS"] : variable => join(" ", var.web_origins)
        if can(it.routes) && try(it.callers, "anyone") == "users"
      },
      {
        for variable in ["STALE_SECONDS"] : variable => tostring(local.settings.staleSeconds)
        if can(it.routes) && try(it.callers, "anyone") == "anyone"
      },
      {
        for variable in ["PAYMENT_GATEWAY"] : variable => var.payment_gateway
        if contains(try(it.secrets, []), "stripe-api-key") && var.payment_gateway != "simulated"
      },
      { for variable in ["POWERTOOLS_TRACE_DISABLED"] : variable => "true" if !var.traced },
      var.extra_variables,
    )
  }

  # By what a function does with the user pool.
  user_variables = {
    managesUsers = { USER_POOL_ID = module.users.id }
    signsIn = merge({
      CONSOLE_URL                   = local.console_url
      SIGN_IN_URL                   = coalesce(var.sign_in_url, module.users.session.sign_in_url)
      ISSUER                        = module.users.issuer
      KEYS_URL                      = "${var.sign_in_url == null ? module.users.issuer : "${var.sign_in_url}/${module.users.id}"}/.well-known/jwks.json"
      OAUTH_CLIENT_ID               = module.users.session.client_id
      OAUTH_CLIENT_SECRET_PARAMETER = module.users.session.secret_parameter
      IDENTITY_PROVIDERS            = join(" ", module.users.session.identity_providers)
    }, local.github_variables)
  }

  # RDS chooses the name of a secret that it rotates; the ARN works in its place.
  database_secret = coalesce(try(var.database.secret_name, null), "${local.prefix}-database")

  database_variables = {
    DATABASE_HOST    = try(var.database.host, "")
    DATABASE_PORT    = tostring(try(var.database.port, ""))
    DATABASE_NAME    = try(var.database.name, "")
    DATABASE_SSLMODE = try(var.database.sslmode, "")
  }
}
