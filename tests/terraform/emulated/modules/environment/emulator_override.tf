module "pulsequeue" {
  # Functions run on this machine: on its processor, on its few cores, without a daemon for traces.
  runs_on           = { architecture = var.emulator.architecture }
  concurrency_limit = var.emulator.concurrency_limit
  more_variables    = { POWERTOOLS_TRACE_DISABLED = "true" }

  # A test does not wait a quarter of an hour for an order that nobody pays.
  hold_seconds = var.emulator.hold_seconds

  # The emulator is asked in the clear, and would refuse to be.
  tls_only = false

  # Behind the emulator's cluster is no database. This machine's PostgreSQL stands in for it, which has no TLS.
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
  # The emulator's API has an address without TLS, and with a port.
  metrics_host = "metrics.example.com"
}
