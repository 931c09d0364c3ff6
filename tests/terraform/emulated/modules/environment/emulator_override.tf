module "pulsequeue" {
  # Functions run on this machine: its architecture, its few cores, no X-Ray daemon.
  runs_on           = { architecture = var.emulator.architecture }
  concurrency_limit = var.emulator.concurrency_limit
  extra_variables   = { POWERTOOLS_TRACE_DISABLED = "true" }

  # Tests do not wait 15 minutes for an unpaid order to expire.
  hold_seconds = var.emulator.hold_seconds

  emulator = { host = "127.0.0.1", port = var.emulator.port }

  # The emulator has no TLS, and would enforce the deny statement.
  tls_only = false

  # The emulator's cluster has no database. This machine's PostgreSQL takes its place, without TLS.
  database = {
    host               = "127.0.0.1"
    port               = var.emulator.database_port
    sslmode            = "disable"
    name               = module.database["this"].name
    resource_id        = module.database["this"].resource_id
    secret_arn         = module.database["this"].secret_arn
    secret_name        = module.database["this"].secret_arn
    subnet_ids         = module.network["this"].private_subnet_ids
    security_group_ids = [module.network["this"].function_security_group_id]
  }
}

module "monitoring" {
  # The emulator's API has a URL without TLS and with a port.
  metrics_host = "metrics.example.com"
}
