mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/dev-shop-broadcaster" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/dev-shop-broadcaster", id = "dev-shop-broadcaster" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:dev-shop-broadcaster-dlq", url = "https://sqs/dev-shop-broadcaster-dlq" }
  }
}

variables {
  name       = "dev-shop-broadcaster"
  stream_arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/dev-shop-console/stream/2026-11-28T00:00:00.000"
  partitions = ["dashboards#", "room#"]
  batch_size = 100

  function = {
    description     = "Posts changes."
    handler         = "services.dashboards.handlers.broadcaster"
    package         = "tests/package.zip"
    memory_mb       = 512
    timeout_seconds = 30
  }
}

run "a_broken_change_does_not_hold_up_the_others" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.bisect_batch_on_function_error && aws_lambda_event_source_mapping.this.maximum_retry_attempts == 2
    error_message = "A failed batch must be halved, and tried three times."
  }

  assert {
    condition     = one(one(aws_lambda_event_source_mapping.this.destination_config).on_failure).destination_arn == aws_sqs_queue.dead_letters.arn
    error_message = "What fails for good must go to the dead-letter queue."
  }
}

run "other_items_invoke_nothing" {
  command = plan

  assert {
    condition     = jsondecode(one(one(aws_lambda_event_source_mapping.this.filter_criteria).filter).pattern) == { dynamodb = { Keys = { pk = { S = [{ prefix = "dashboards#" }, { prefix = "room#" }] } } } }
    error_message = "Only changes of its partitions may invoke the function."
  }
}

run "alarms_tell_of_dead_letters_and_of_delay" {
  command = plan

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.dimensions.QueueName == "dev-shop-broadcaster-dlq" && aws_cloudwatch_metric_alarm.dead_letters.threshold == 0
    error_message = "Any dead letter must set off the alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.age.metric_name == "IteratorAge" && aws_cloudwatch_metric_alarm.age.dimensions.FunctionName == "dev-shop-broadcaster" && aws_cloudwatch_metric_alarm.age.threshold == 60000
    error_message = "A minute's delay must set off the alarm."
  }
}

run "reads_its_own_stream_only" {
  command = plan

  assert {
    condition     = [for it in jsondecode(module.function.policy).Statement : it.Resource if it.Sid == "ReadStream"] == [["arn:aws:dynamodb:eu-central-1:123456789012:table/dev-shop-console/stream/2026-11-28T00:00:00.000"]]
    error_message = "The function may read another table's changes."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name           = "Dev"
    stream_arn     = "arn:aws:dynamodb:eu-central-1:123456789012:table/dev-shop-console"
    partitions     = [""]
    batch_size     = 0
    tries          = 0
    retention_days = 15
  }

  expect_failures = [var.name, var.stream_arn, var.partitions, var.batch_size, var.tries, var.retention_days]
}
