mock_provider "aws" {
  override_during = plan

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/dev-shop-order" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/dev-shop-order", id = "dev-shop-order" }
  }
}

variables {
  name            = "dev-shop-order"
  description     = "Takes orders."
  handler         = "services.order.handlers.order"
  package         = "tests/package.zip"
  memory_mb       = 512
  timeout_seconds = 30
}

run "logs_where_lambda_looks_and_not_for_ever" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/dev-shop-order" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Its log group is kept for 30 days under Lambda's own name."
  }
}

run "may_log_and_trace_and_nothing_else_unless_told" {
  command = plan

  assert {
    condition     = toset(flatten([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Action])) == toset(["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"])
    error_message = "A function without rights of its own logs and traces."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Resource if it.Sid == "WriteLog"]) == ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/dev-shop-order:*"]
    error_message = "It writes its own log alone."
  }
}

run "may_do_what_it_is_given" {
  command = plan

  variables {
    rights = { Publish = { actions = ["events:PutEvents"], resources = ["arn:aws:events:us-east-1:123456789012:event-bus/shop"] } }
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it if it.Sid == "Publish"]) == { Sid = "Publish", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:us-east-1:123456789012:event-bus/shop"] }
    error_message = "What is given stands in the policy as it is given."
  }
}

run "may_join_a_network_only_when_it_is_in_one" {
  command = plan

  variables {
    network = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = contains([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Sid], "JoinNetwork")
    error_message = "In a network Lambda makes interfaces."
  }

  assert {
    condition     = one(aws_lambda_function.this.vpc_config).subnet_ids == toset(["subnet-1"])
    error_message = "It runs in the subnets it is given."
  }
}

run "traces_on_arm_with_the_newest_python_unless_told" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.runtime == "python3.13" && one(aws_lambda_function.this.architectures) == "arm64" && one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "Python 3.13 on arm64, traced."
  }
}

run "has_a_live_version_that_starts_as_functions_do" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.name == "live" && output.alias == "live"
    error_message = "A version is published, and the alias leads to it."
  }

  assert {
    condition     = length(aws_lambda_function.this.snap_start) == 0 && length(aws_lambda_provisioned_concurrency_config.this) == 0
    error_message = "Neither snapshots nor warm copies are paid for unless asked for."
  }
}

run "is_restored_from_a_snapshot" {
  command = plan

  variables {
    starts = { snapshot = true }
  }

  assert {
    condition     = one(aws_lambda_function.this.snap_start).apply_on == "PublishedVersions"
    error_message = "Published versions start from a snapshot."
  }
}

run "keeps_some_warm" {
  command = plan

  variables {
    starts               = { kept_warm = 2 }
    reserved_concurrency = 5
  }

  assert {
    condition     = one([for it in aws_lambda_provisioned_concurrency_config.this : "${it.qualifier} ${it.provisioned_concurrent_executions}"]) == "live 2"
    error_message = "Two of the live version are kept warm."
  }
}

run "refuses_to_do_both_about_cold_starts" {
  command = plan

  variables {
    starts = { snapshot = true, kept_warm = 1 }
  }

  expect_failures = [var.starts]
}

run "refuses_to_keep_more_warm_than_may_run" {
  command = plan

  variables {
    starts               = { kept_warm = 2 }
    reserved_concurrency = 1
  }

  expect_failures = [var.starts]
}

run "refuses_half_a_function_kept_warm" {
  command = plan

  variables {
    starts = { kept_warm = 0.5 }
  }

  expect_failures = [var.starts]
}

run "is_traced_unless_told_otherwise_and_needs_no_right_to_it_then" {
  command = plan

  variables {
    traced = false
  }

  assert {
    condition     = one(aws_lambda_function.this.tracing_config).mode == "PassThrough" && toset([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Sid]) == toset(["WriteLog"])
    error_message = "What is not traced has no right to write traces."
  }
}

run "refuses_wildcard_actions" {
  command = plan

  variables {
    rights = { Everything = { actions = ["s3:*"], resources = ["arn:aws:s3:::bucket"] } }
  }

  expect_failures = [var.rights]
}

run "refuses_what_lambda_refuses" {
  command = plan

  variables {
    memory_mb            = 64
    timeout_seconds      = 901
    runs_on              = { runtime = "python3.9" }
    package              = "code.tar"
    reserved_concurrency = 0
    log_days             = 2
    description          = ""
    name                 = "Order"
  }

  expect_failures = [var.memory_mb, var.timeout_seconds, var.runs_on, var.package, var.reserved_concurrency, var.log_days, var.description, var.name]
}

run "refuses_a_network_without_subnets" {
  command = plan

  variables {
    network = { subnet_ids = [], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.network]
}
