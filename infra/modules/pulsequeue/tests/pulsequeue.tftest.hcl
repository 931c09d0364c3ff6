# Against an emulator (AWS_ENDPOINT_URL): a provider cannot be mocked where a value is ephemeral.
variables {
  environment    = "dev"
  package_folder = "tests/packages"
}

run "without_a_database_has_no_function_that_needs_one" {
  command = plan

  assert {
    condition     = toset(keys(module.consumer)) == toset(["expiry", "order", "payment", "webhook-delivery", "webhook-fanout", "webhook-retries"]) && toset(keys(module.function)) == toset(["audit", "collector", "commands", "exposition", "notify", "organizations", "session", "stripe-webhook", "webhooks"])
    error_message = "Without a database there must be no read side."
  }
}

run "each_function_signs_in_to_the_database_with_its_own_role" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database", subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition = { for name, it in output.permissions : name => it.ConnectToDatabase.resources if can(it.ConnectToDatabase) } == {
      analytics      = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_api"]
      dataset-ingest = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_api"]
      datasets       = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_api"]
      migrator       = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_owner"]
      projector      = ["arn:aws:rds-db:us-east-1:000000000000:dbuser:cluster-ABC/pulsequeue_projector"]
    }
    error_message = "Each function must have the database role that it needs."
  }

  assert {
    condition     = [for name, it in output.permissions : name if can(it.ReadDatabaseSecret)] == ["migrator"]
    error_message = "Only the migrator may read the administrator's secret."
  }
}

run "uploads_reach_the_queue_of_the_function_that_loads_them" {
  command = plan

  variables {
    database    = { host = "db.internal", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database" }
    web_origins = ["https://shop.example"]
    console_url = "https://console.example"
  }

  assert {
    condition     = local.bucket_names == { processed-data = "dev-pulsequeue-processed-data-000000000000", raw-uploads = "dev-pulsequeue-raw-uploads-000000000000" } && local.notified == { dataset-ingest = "raw-uploads" }
    error_message = "Uploads and results must have a bucket each, and uploads be announced."
  }

  assert {
    condition     = aws_s3_bucket_notification.this["dataset-ingest"].queue[0].events == toset(["s3:ObjectCreated:*"])
    error_message = "Every new upload must be announced."
  }

  assert {
    condition     = jsonencode(output.permissions["dataset-ingest"].UseRawUploads) == jsonencode({ actions = ["s3:GetObject"], resources = ["arn:aws:s3:::dev-pulsequeue-raw-uploads-000000000000/*"] })
    error_message = "Uploads must be read, and neither changed nor listed."
  }
}

run "sets_the_certificate_file_where_the_database_is_verified" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "prx-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database" }
  }

  assert {
    condition     = { for name, env in local.variables : name => env.SSL_CERT_FILE if can(env.SSL_CERT_FILE) } == { for name in ["analytics", "dataset-ingest", "datasets", "migrator", "projector"] : name => "/var/task/botocore/cacert.pem" }
    error_message = "The driver would find no certificate authorities on Lambda and trust no server."
  }
}

run "sets_no_certificate_file_where_the_database_is_not_verified" {
  command = plan

  variables {
    database = { host = "db.internal", port = 5432, resource_id = "cluster-ABC", secret_arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:dev-pulsequeue-database", sslmode = "require" }
  }

  assert {
    condition     = [for name, env in local.variables : name if can(env.SSL_CERT_FILE)] == []
    error_message = "Without verification no certificate file may be set."
  }
}

run "without_a_client_there_is_no_sign_in_with_github_and_no_key" {
  command = plan

  assert {
    condition     = length(aws_kms_key.github) == 0 && length(module.users.session.identity_providers) == 0
    error_message = "A key costs $1 a month; there must be none unless people sign in with GitHub."
  }

  assert {
    condition     = !can(local.user_permissions.signsIn.SignForGithub) && !can(local.user_variables.signsIn.GITHUB_CLIENT_ID)
    error_message = "The function must not know of GitHub, nor sign for it."
  }
}

run "people_sign_in_with_google_and_github" {
  command = plan

  variables {
    github             = { client_id = "Ov23", client_secret = "secret" }
    identity_providers = { Google = { type = "Google", client_id = "google", client_secret = "secret" } }
  }

  assert {
    condition     = toset(module.users.session.identity_providers) == toset(["GitHub", "Google"])
    error_message = "Both must be providers of the user pool."
  }

  assert {
    condition     = aws_kms_key.github["this"].key_usage == "SIGN_VERIFY" && aws_kms_key.github["this"].customer_master_key_spec == "RSA_2048"
    error_message = "The key must be able to sign tokens, and nothing else."
  }

  assert {
    condition     = toset(local.user_permissions.signsIn.SignForGithub.actions) == toset(["kms:GetPublicKey", "kms:Sign"])
    error_message = "The function must be able to sign and to publish the key, and nothing else."
  }

  assert {
    condition     = local.user_variables.signsIn.GITHUB_CALLBACK_URL == "https://dev-pulsequeue-000000000000.auth.us-east-1.amazoncognito.com/oauth2/idpresponse"
    error_message = "Browsers must go back to the user pool, and nowhere else."
  }

  assert {
    condition     = !contains(keys(local.github_variables), "GITHUB_CLIENT_SECRET")
    error_message = "The function must not hold GitHub's secret: it is the user pool's."
  }
}

run "administrators_need_a_second_factor_where_the_setting_says_so" {
  command = plan

  variables {
    admins_need_second_factor = true
  }

  assert {
    condition     = length(aws_iam_role_policy.second_factor) == 1
    error_message = "The function that sets claims must be able to look users up."
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

run "refuses_cold_starts_of_unknown_functions" {
  command = plan

  variables {
    cold_starts = { projector = { provisioned_concurrency = 1 } }
  }

  # There is none without a database.
  expect_failures = [var.cold_starts]
}

run "silence_is_not_health" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.nothing_settled.evaluation_periods == 6 && aws_cloudwatch_metric_alarm.nothing_settled.datapoints_to_alarm == 2
    error_message = "One period is not enough: its last order may be settled in the next."
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.nothing_settled, aws_cloudwatch_metric_alarm.collector_stale] : alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])])
    error_message = "The alarms must notify the topics."
  }

  assert {
    condition = local.awaited == { expiry = "PaymentRequested", order = "OrderPlaced", payment = "PaymentRequested", webhook-fanout = "OrderPlaced" } && alltrue([
      for alarm in aws_cloudwatch_metric_alarm.rule_silent :
      one([for query in alarm.metric_query : query.expression if query.return_data]) == "IF(published > 0 AND FILL(arrived, 0) == 0, 1, 0)" && alarm.datapoints_to_alarm == 2
    ])
    error_message = "Events that are published and do not arrive must raise an alarm, for each consumer."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.collector_stale.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.collector_stale.comparison_operator == "LessThanThreshold"
    error_message = "A collector without data must raise an alarm."
  }

  assert {
    condition     = one([for query in aws_cloudwatch_metric_alarm.nothing_settled.metric_query : query.expression if query.id == "stopped"]) == "IF(placed > 0 AND (FILL(cancelled, 0) + FILL(declined, 0) + FILL(duplicate, 0) + FILL(expired, 0) + FILL(paid, 0) + FILL(rejected, 0)) == 0, 1, 0)"
    error_message = "Orders that are placed while none is settled must raise an alarm, also when the outcomes have no data."
  }
}
