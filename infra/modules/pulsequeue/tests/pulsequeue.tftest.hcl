# Against an emulator (AWS_ENDPOINT_URL): a provider cannot be mocked where a value is ephemeral.
variables {
  environment    = "dev"
  package_folder = "tests/packages"
}

run "leaves_out_what_needs_a_database_when_there_is_none" {
  command = plan

  assert {
    condition     = toset(keys(module.consumer)) == toset(["expiry", "order", "payment"]) && toset(keys(module.function)) == toset(["collector", "exposition"])
    error_message = "No read side without a database."
  }
}

run "lets_each_function_into_the_database_under_its_own_name" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database", subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition = { for name, it in output.rights : name => it.ConnectToDatabase.resources if can(it.ConnectToDatabase) } == {
      analytics = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_api"]
      migrator  = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_owner"]
      projector = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_projector"]
    }
    error_message = "Three functions, three names."
  }

  assert {
    condition     = [for name, it in output.rights : name if can(it.ReadDatabaseSecret)] == ["migrator"]
    error_message = "Only the migrator reads the administrator's secret."
  }
}

run "names_the_authorities_where_the_database_has_to_show_who_it_is" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "prx-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database" }
  }

  assert {
    condition     = { for name, told in local.variables : name => told.SSL_CERT_FILE if can(told.SSL_CERT_FILE) } == { for name in ["analytics", "migrator", "projector"] : name => "/var/task/botocore/cacert.pem" }
    error_message = "The driver would look for authorities where Lambda has none, and trust nobody."
  }
}

run "names_no_authorities_where_nobody_looks" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database", sslmode = "require" }
  }

  assert {
    condition     = [for name, told in local.variables : name if can(told.SSL_CERT_FILE)] == []
    error_message = "There is nothing to verify."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    environment       = "Production"
    hold_seconds      = 901
    concurrency_limit = 1
    database          = { host = "db", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn", sslmode = "prefer" }
  }

  expect_failures = [var.environment, var.hold_seconds, var.concurrency_limit, var.database]
}

run "refuses_to_start_what_there_is_not" {
  command = plan

  variables {
    starts = { projector = { kept_warm = 1 } }
  }

  # There is none without a database.
  expect_failures = [var.starts]
}
