# Against an emulator (AWS_ENDPOINT_URL), as the module that it is made around.
variables {
  environment    = "dev"
  package_folder = "../pulsequeue/tests/packages"
  protected      = false
  database       = { capacity = { min = 0.5, max = 2 }, instances = 1, way_in = "cluster", backup_days = 1 }
  told           = { emails = ["team@example.com"] }
  monthly_usd    = 150
  repository     = "owner/name"
}

run "brings_the_read_side_where_the_database_is" {
  command = plan

  assert {
    condition     = contains(keys(module.pulsequeue.rights), "projector")
    error_message = "There is a database, and so a read side."
  }

  assert {
    condition     = length(module.monitoring) == 0 && output.grafana_url == null
    error_message = "Without a name for Grafana nothing watches."
  }
}

run "without_a_database_has_no_read_side_and_no_network" {
  command = plan

  variables {
    database = null
  }

  assert {
    condition     = length(module.network) == 0 && length(module.database) == 0 && output.database == null
    error_message = "Nothing is left that would need them."
  }

  assert {
    condition     = !contains(keys(module.pulsequeue.rights), "projector") && contains(keys(module.pulsequeue.rights), "order")
    error_message = "Orders are decided all the same."
  }
}

run "without_a_database_has_a_network_for_who_watches" {
  command = plan

  variables {
    database   = null
    monitoring = { hostname = "grafana.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1", cidrs = ["203.0.113.0/24"] }
  }

  override_module {
    target = module.monitoring
  }

  assert {
    condition     = length(module.network) == 1 && length(module.database) == 0 && length(module.monitoring) == 1
    error_message = "Prometheus and Grafana need a way out, and no database."
  }
}

run "refuses_an_environment_that_tells_nobody" {
  command = plan

  variables {
    told       = {}
    repository = "name"
  }

  expect_failures = [var.told, var.repository]
}
