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
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/dev-shop-order" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/dev-shop-order", id = "dev-shop-order" }
  }
}

override_resource {
  target          = aws_sqs_queue.this
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-central-1:123456789012:dev-shop-order", url = "https://sqs/dev-shop-order" }
}

override_resource {
  target          = aws_sqs_queue.dead_letters
  override_during = plan
  values          = { arn = "arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq", url = "https://sqs/dev-shop-order-dlq" }
}

variables {
  name          = "dev-shop-order"
  bus_name      = "dev-shop"
  subscriptions = ["OrderPlaced", "OrderCancelled"]
  batch         = { size = 99, window_seconds = 1, concurrency = 10 }

  function = {
    description     = "Takes orders."
    handler         = "services.order.handlers.order"
    package         = "../function/tests/package.zip"
    memory_mb       = 512
    timeout_seconds = 30
  }
}

run "hides_a_message_for_six_time_outs_and_the_window" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 6 * 30 + 1
    error_message = "Visibility time-out follows from the function's."
  }
}

run "sets_aside_what_cannot_be_done_and_tells_somebody" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq", maxReceiveCount = 5 }
    error_message = "Five deliveries, then the dead-letter queue."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order"]
    error_message = "Only its own queue may put dead letters there."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.dimensions.QueueName == "dev-shop-order-dlq" && aws_cloudwatch_metric_alarm.dead_letters.threshold == 0 && aws_cloudwatch_metric_alarm.dead_letters.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "One dead letter raises the alarm."
  }
}

run "is_encrypted_and_takes_messages_from_its_rule_alone" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "Both queues are encrypted."
  }

  assert {
    condition     = [for it in jsondecode(aws_sqs_queue.this.policy).Statement : it.Condition.ArnEquals["aws:SourceArn"] if it.Effect == "Allow"] == ["arn:aws:events:eu-central-1:123456789012:rule/dev-shop/dev-shop-order"]
    error_message = "Only its rule may write to the queue."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letters] : anytrue([for it in jsondecode(queue.policy).Statement : it.Effect == "Deny" && try(it.Condition.Bool["aws:SecureTransport"], "") == "false"])])
    error_message = "Nobody reaches either queue in the clear."
  }
}

run "hears_live_events_of_its_names_alone" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == { "detail-type" = ["OrderPlaced", "OrderCancelled"], "replay-name" = [{ exists = false }] }
    error_message = "Its events by name, and no replays."
  }
}

run "reports_partial_failures_and_runs_no_wider_than_told" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"]) && one(aws_lambda_event_source_mapping.this.scaling_config).maximum_concurrency == 10
    error_message = "Partial failures, ten batches at a time."
  }
}

run "may_take_its_messages_and_set_aside_its_dead_letters" {
  command = plan

  assert {
    condition     = { for it in jsondecode(module.function.policy).Statement : it.Sid => { actions = it.Action, resources = it.Resource } if contains(["TakeMessages", "SetAsideDeadLetters"], it.Sid) } == { TakeMessages = { actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order"] }, SetAsideDeadLetters = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq"] } }
    error_message = "Rights to its two queues follow by themselves."
  }
}

run "refuses_a_large_batch_without_a_window" {
  command = plan

  variables {
    batch = { size = 11, window_seconds = 0, concurrency = 10 }
  }

  expect_failures = [var.batch]
}

run "refuses_what_sqs_refuses" {
  command = plan

  variables {
    name           = "-"
    subscriptions  = []
    delay_seconds  = 901
    max_receives   = 0
    retention_days = 15
    batch          = { size = 1, window_seconds = 0, concurrency = 1 }
  }

  expect_failures = [var.name, var.subscriptions, var.delay_seconds, var.max_receives, var.retention_days, var.batch]
}
