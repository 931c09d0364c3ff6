mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/dev-shop-collector-schedule", id = "dev-shop-collector-schedule" }
  }
}

variables {
  name       = "dev-shop-collector"
  expression = "rate(1 minute)"
  function   = { name = "dev-shop-collector", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-collector:live" }
}

run "does_not_retry_a_failed_run" {
  command = plan

  assert {
    condition     = one(one(aws_scheduler_schedule.this.target).retry_policy).maximum_retry_attempts == 0
    error_message = "The schedule must not retry."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 0 && aws_lambda_function_event_invoke_config.this.qualifier == "live"
    error_message = "Lambda must not retry."
  }
}

run "may_invoke_its_function_only" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role_policy.this.policy).Statement == [{ Sid = "InvokeFunction", Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [var.function.arn] }]
    error_message = "The schedule's role must invoke that function only."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Only schedules of this account may assume the role."
  }
}

run "refuses_expressions_other_than_rates" {
  command = plan

  variables {
    expression = "rate(1 minutes)"
    name       = "a schedule"
  }

  expect_failures = [var.expression, var.name]
}
