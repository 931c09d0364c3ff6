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

run "has_a_log_group_with_a_retention" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/lambda/dev-shop-order" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The log group must have Lambda's default name and a retention of 30 days."
  }
}

run "may_only_log_and_trace_by_default" {
  command = plan

  assert {
    condition     = toset(flatten([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Action])) == toset(["logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTelemetryRecords", "xray:PutTraceSegments"])
    error_message = "A function without permissions must only log and trace."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Resource if it.Sid == "WriteLog"]) == ["arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/dev-shop-order:*"]
    error_message = "It may write its own log only."
  }
}

run "has_the_given_permissions" {
  command = plan

  variables {
    permissions = { Publish = { actions = ["events:PutEvents"], resources = ["arn:aws:events:us-east-1:123456789012:event-bus/shop"] } }
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it if it.Sid == "Publish"]) == { Sid = "Publish", Effect = "Allow", Action = ["events:PutEvents"], Resource = ["arn:aws:events:us-east-1:123456789012:event-bus/shop"] }
    error_message = "The policy must contain the given permissions unchanged."
  }
}

run "may_create_network_interfaces_only_in_a_network" {
  command = plan

  variables {
    network = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition     = contains([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Sid], "JoinNetwork")
    error_message = "In a network the role must allow network interfaces."
  }

  assert {
    condition     = one(aws_lambda_function.this.vpc_config).subnet_ids == toset(["subnet-1"])
    error_message = "It must run in the given subnets."
  }
}

run "runs_python_3_13_on_arm64_with_tracing_by_default" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.runtime == "python3.13" && one(aws_lambda_function.this.architectures) == "arm64" && one(aws_lambda_function.this.tracing_config).mode == "Active"
    error_message = "The default must be Python 3.13 on arm64, traced."
  }
}

run "has_a_live_alias_without_snapstart_or_provisioned_concurrency" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_alias.live.name == "live" && output.alias == "live"
    error_message = "A version must be published, and the alias must point to it."
  }

  assert {
    condition     = length(aws_lambda_function.this.snap_start) == 0 && length(aws_lambda_provisioned_concurrency_config.this) == 0
    error_message = "SnapStart and provisioned concurrency must be off by default."
  }
}

run "uses_snapstart" {
  command = plan

  variables {
    cold_starts = { snapstart = true }
  }

  assert {
    condition     = one(aws_lambda_function.this.snap_start).apply_on == "PublishedVersions"
    error_message = "SnapStart must apply to published versions."
  }
}

run "has_provisioned_concurrency" {
  command = plan

  variables {
    cold_starts          = { provisioned_concurrency = 2 }
    reserved_concurrency = 5
  }

  assert {
    condition     = one([for it in aws_lambda_provisioned_concurrency_config.this : "${it.qualifier} ${it.provisioned_concurrent_executions}"]) == "live 2"
    error_message = "The live alias must have a provisioned concurrency of two."
  }
}

run "refuses_snapstart_with_provisioned_concurrency" {
  command = plan

  variables {
    cold_starts = { snapstart = true, provisioned_concurrency = 1 }
  }

  expect_failures = [var.cold_starts]
}

run "refuses_more_provisioned_than_reserved_concurrency" {
  command = plan

  variables {
    cold_starts          = { provisioned_concurrency = 2 }
    reserved_concurrency = 1
  }

  expect_failures = [var.cold_starts]
}

run "refuses_fractional_provisioned_concurrency" {
  command = plan

  variables {
    cold_starts = { provisioned_concurrency = 0.5 }
  }

  expect_failures = [var.cold_starts]
}

run "without_tracing_has_no_permission_to_write_traces" {
  command = plan

  variables {
    traced = false
  }

  assert {
    condition     = one(aws_lambda_function.this.tracing_config).mode == "PassThrough" && toset([for it in jsondecode(aws_iam_role_policy.this.policy).Statement : it.Sid]) == toset(["WriteLog"])
    error_message = "Without tracing the role must not allow writing traces."
  }
}

run "refuses_wildcard_actions" {
  command = plan

  variables {
    permissions = { Everything = { actions = ["s3:*"], resources = ["arn:aws:s3:::bucket"] } }
  }

  expect_failures = [var.permissions]
}

run "refuses_values_that_lambda_refuses" {
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

run "raises_alarms_on_errors_and_throttles" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:us-east-1:123456789012:alarms"]
  }

  assert {
    condition = alltrue([for alarm in [aws_cloudwatch_metric_alarm.errors, aws_cloudwatch_metric_alarm.throttles] :
      alarm.namespace == "AWS/Lambda" && alarm.dimensions == tomap({ FunctionName = "dev-shop-order" }) && alarm.threshold == 0 && alarm.datapoints_to_alarm == 3 && alarm.alarm_actions == toset(["arn:aws:sns:us-east-1:123456789012:alarms"])
    ])
    error_message = "Errors or throttles in three of five minutes must raise an alarm."
  }

  assert {
    condition     = [aws_cloudwatch_metric_alarm.errors.metric_name, aws_cloudwatch_metric_alarm.throttles.metric_name] == ["Errors", "Throttles"]
    error_message = "One alarm is on errors and one on throttles."
  }
}

run "has_a_larger_disk_if_configured" {
  command = plan

  variables {
    scratch_mb = 2048
  }

  assert {
    condition     = one(aws_lambda_function.this.ephemeral_storage).size == 2048
    error_message = "The disk must have the configured size."
  }
}
