# Against an emulator (AWS_ENDPOINT_URL), as the module that it is made around.
provider "aws" {}

provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"
}

variables {
  environment    = "dev"
  package_folder = "../pulsequeue/tests/packages"
  protected      = false
  database       = { capacity = { min = 0.5, max = 2 }, instances = 1, endpoint = "cluster", backup_days = 1 }
  notify         = { emails = ["team@example.com"] }
  monthly_usd    = 150
  repository     = "owner/name"
}

run "with_a_database_has_a_read_side" {
  command = plan

  assert {
    condition     = contains(keys(module.pulsequeue.permissions), "projector")
    error_message = "With a database there must be a read side."
  }

  assert {
    condition     = length(module.monitoring) == 0 && output.grafana_url == null
    error_message = "Without a host name for Grafana there must be no monitoring."
  }
}

run "without_a_database_has_no_read_side_and_no_network" {
  command = plan

  variables {
    database = null
  }

  assert {
    condition     = length(module.network) == 0 && length(module.database) == 0 && output.database == null
    error_message = "No function may need the database."
  }

  assert {
    condition     = !contains(keys(module.pulsequeue.permissions), "projector") && contains(keys(module.pulsequeue.permissions), "order")
    error_message = "The order function must still exist."
  }
}

run "without_a_database_has_a_network_for_monitoring" {
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
    error_message = "Monitoring must have NAT, and there must be no database."
  }
}

run "alarms_invoke_the_function_that_sends_them" {
  command = plan

  assert {
    condition     = aws_sns_topic_subscription.notify.protocol == "lambda" && aws_lambda_permission.notify.principal == "sns.amazonaws.com" && aws_lambda_permission.notify.qualifier == "live"
    error_message = "Alarms do not reach Slack, Microsoft Teams and webhooks."
  }
}

run "refuses_an_environment_that_notifies_nobody" {
  command = plan

  variables {
    notify     = {}
    repository = "name"
  }

  expect_failures = [var.notify, var.repository]
}

run "without_a_domain_and_a_firewall_has_none" {
  command = plan

  assert {
    condition     = length(module.dns) == 0 && length(module.firewall) == 0
    error_message = "Both cost money, and are left out by default."
  }
}

run "with_a_domain_the_console_has_its_name_and_certificate" {
  command = plan

  variables {
    domain   = { zone = "example.com", console = "console.example.com", api = "api.example.com" }
    firewall = {}
  }

  override_module {
    target  = module.dns
    outputs = { console_domain = { name = "console.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }, api_url = "https://api.example.com" }
  }

  override_module {
    target  = module.firewall
    outputs = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/dev/1" }
  }

  assert {
    condition     = output.api_url == "https://api.example.com" && output.console.url == "https://console.example.com"
    error_message = "Both must be known by their own names."
  }
}

run "refuses_two_domains_of_the_console" {
  command = plan

  variables {
    domain         = { zone = "example.com", console = "console.example.com", api = "api.example.com" }
    console_domain = { name = "console.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  override_module {
    target  = module.dns
    outputs = { console_domain = { name = "console.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }, api_url = "https://api.example.com" }
  }

  expect_failures = [var.domain]
}

run "people_sign_in_with_what_has_a_client_id" {
  command = plan

  variables {
    sign_in_with = { github_client_id = "Ov23" }
  }

  override_data {
    target = data.aws_ssm_parameter.client_secret["github"]
    values = { value = "secret" }
  }

  assert {
    condition     = toset(keys(data.aws_ssm_parameter.client_secret)) == toset(["github"]) && data.aws_ssm_parameter.client_secret["github"].name == "/dev-pulsequeue/github-client-secret"
    error_message = "Only the secret of GitHub may be read."
  }

  assert {
    condition     = toset(module.pulsequeue.users.identity_providers) == toset(["GitHub"])
    error_message = "People must be able to sign in with GitHub, and not with Google."
  }
}

run "refuses_what_is_no_client_id" {
  command = plan

  variables {
    sign_in_with = { google_client_id = "a client" }
  }

  override_data {
    target = data.aws_ssm_parameter.client_secret["google"]
    values = { value = "secret" }
  }

  expect_failures = [var.sign_in_with]
}
