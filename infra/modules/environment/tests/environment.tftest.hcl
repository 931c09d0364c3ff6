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

run "refuses_an_environment_that_tells_nobody" {
  command = plan

  variables {
    told       = {}
    repository = "name"
  }

  expect_failures = [var.told, var.repository]
}
