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
    description     = "Reserves stock for placed orders."
    handler         = "services.order.handlers.order"
    package         = "../function/tests/package.zip"
    memory_mb       = 512
    timeout_seconds = 30
  }
}

run "visibility_timeout_is_six_timeouts_and_the_window" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 6 * 30 + 1
    error_message = "The visibility timeout must be derived from the function's timeout."
  }
}

run "has_a_dead_letter_queue_with_an_alarm" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = "arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq", maxReceiveCount = 5 }
    error_message = "A message must move to the dead-letter queue after five receives."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order"]
    error_message = "Only its own queue may use the dead-letter queue."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.dimensions.QueueName == "dev-shop-order-dlq" && aws_cloudwatch_metric_alarm.dead_letters.threshold == 0 && aws_cloudwatch_metric_alarm.dead_letters.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])
    error_message = "One message in the dead-letter queue must raise the alarm."
  }
}

run "is_encrypted_and_accepts_messages_from_its_rule_only" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "Both queues must be encrypted."
  }

  assert {
    condition     = [for it in jsondecode(aws_sqs_queue.this.policy).Statement : it.Condition.ArnEquals["aws:SourceArn"] if it.Effect == "Allow"] == ["arn:aws:events:eu-central-1:123456789012:rule/dev-shop/dev-shop-order"]
    error_message = "Only its rule may write to the queue."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letters] : anytrue([for it in jsondecode(queue.policy).Statement : it.Effect == "Deny" && try(it.Condition.Bool["aws:SecureTransport"], "") == "false"])])
    error_message = "Both queues must deny requests without TLS."
  }
}

run "matches_live_events_of_its_subscriptions_only" {
  command = plan

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this[0].event_pattern) == { "detail-type" = ["OrderPlaced", "OrderCancelled"], "replay-name" = [{ exists = false }] }
    error_message = "The rule must match its events by name, and no replays."
  }
}

run "reports_partial_failures_and_limits_concurrency" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"]) && one(aws_lambda_event_source_mapping.this.scaling_config).maximum_concurrency == 10
    error_message = "The mapping must report partial failures and limit concurrency to ten."
  }
}

run "may_consume_its_queue_and_send_to_its_dead_letter_queue" {
  command = plan

  assert {
    condition     = { for it in jsondecode(module.function.policy).Statement : it.Sid => { actions = it.Action, resources = it.Resource } if contains(["ConsumeMessages", "SendToDeadLetterQueue"], it.Sid) } == { ConsumeMessages = { actions = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order"] }, SendToDeadLetterQueue = { actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq"] } }
    error_message = "The role must have the permissions for its two queues."
  }
}

run "without_a_window_ten_messages_are_handed_over_and_the_function_takes_the_rest" {
  command = plan

  variables {
    batch = { size = 99, window_seconds = 0, concurrency = 10 }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this.batch_size == 10
    error_message = "Without a window AWS refuses more than 10 messages."
  }

  assert {
    condition     = local.takes_more["BATCH_SIZE"] == "99"
    error_message = "The function must know up to how many messages it handles at once."
  }
}

run "with_a_window_whole_batches_are_handed_over" {
  command = plan

  assert {
    condition     = aws_lambda_event_source_mapping.this.batch_size == 99
    error_message = "With a window Lambda hands over the whole batch."
  }

  assert {
    condition     = length(local.takes_more) == 0
    error_message = "The function must not take more than its batch."
  }
}

run "refuses_values_that_sqs_refuses" {
  command = plan

  variables {
    name           = "-"
    subscriptions  = ["OrderPlaced", "OrderPlaced"]
    delay_seconds  = 901
    max_receives   = 0
    retention_days = 15
    batch          = { size = 1, window_seconds = 0, concurrency = 1 }
  }

  expect_failures = [var.name, var.subscriptions, var.delay_seconds, var.max_receives, var.retention_days, var.batch]
}

run "what_eventbridge_cannot_deliver_goes_to_the_dead_letter_queue" {
  command = plan

  assert {
    condition     = one(aws_cloudwatch_event_target.this[0].dead_letter_config).arn == "arn:aws:sqs:eu-central-1:123456789012:dev-shop-order-dlq" && one(aws_cloudwatch_event_target.this[0].retry_policy).maximum_event_age_in_seconds == 86400
    error_message = "The target must retry for a day and then use the dead-letter queue."
  }

  assert {
    condition     = [for it in jsondecode(aws_sqs_queue.dead_letters.policy).Statement : it.Condition.ArnEquals["aws:SourceArn"] if it.Effect == "Allow"] == ["arn:aws:events:eu-central-1:123456789012:rule/dev-shop/dev-shop-order"]
    error_message = "The rule, and no other, must be allowed to send to the dead-letter queue."
  }
}

run "an_outage_raises_an_alarm" {
  command = plan

  variables {
    delay_seconds    = 900
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.queue_age.metric_name == "ApproximateAgeOfOldestMessage" && aws_cloudwatch_metric_alarm.queue_age.dimensions.QueueName == "dev-shop-order" && aws_cloudwatch_metric_alarm.queue_age.threshold == 1500
    error_message = "A message that waits ten minutes longer than its delay must raise an alarm."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.failed_invocations[0].metric_name == "FailedInvocations" && aws_cloudwatch_metric_alarm.failed_invocations[0].dimensions == tomap({ EventBusName = "dev-shop", RuleName = "dev-shop-order" }) && aws_cloudwatch_metric_alarm.failed_invocations[0].threshold == 0
    error_message = "A failed delivery must raise an alarm."
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.queue_age, aws_cloudwatch_metric_alarm.failed_invocations[0]] : alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])])
    error_message = "The alarms must notify the topics."
  }
}

run "a_queue_that_functions_fill_has_no_rule" {
  command = plan

  variables {
    subscriptions    = []
    max_wait_seconds = 100000
  }

  assert {
    condition     = length(aws_cloudwatch_event_rule.this) + length(aws_cloudwatch_event_target.this) + length(aws_cloudwatch_metric_alarm.failed_invocations) == 0
    error_message = "Without subscriptions there is no rule, and no alarm on its deliveries."
  }

  assert {
    condition     = alltrue([for queue in [aws_sqs_queue.this, aws_sqs_queue.dead_letters] : alltrue([for it in jsondecode(queue.policy).Statement : it.Effect == "Deny"])])
    error_message = "EventBridge must not be allowed to send."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.queue_age.threshold == 100000
    error_message = "The alarm must wait as long as messages may."
  }
}

run "without_tls_and_rule_there_is_no_policy" {
  command = plan

  variables {
    subscriptions = []
    tls_only      = false
  }

  assert {
    condition     = alltrue([for it in values(local.policies) : it == null])
    error_message = "A policy without a statement is refused by SQS."
  }
}

run "a_bucket_of_this_account_may_send_to_the_queue_and_not_to_the_other" {
  command = plan

  variables {
    subscriptions = []
    source_bucket = "dev-shop-uploads"
  }

  assert {
    condition = [for it in jsondecode(aws_sqs_queue.this.policy).Statement : [it.Principal.Service, it.Resource, it.Condition.ArnEquals["aws:SourceArn"], it.Condition.StringEquals["aws:SourceAccount"]] if it.Effect == "Allow"] == [
      ["s3.amazonaws.com", ["arn:aws:sqs:eu-central-1:123456789012:dev-shop-order"], "arn:aws:s3:::dev-shop-uploads", "123456789012"]
    ]
    error_message = "Only the bucket of this account may send notifications."
  }

  assert {
    condition     = [for it in jsondecode(aws_sqs_queue.dead_letters.policy).Statement : it.Sid if it.Effect == "Allow"] == []
    error_message = "Nobody but the function may send to the dead-letter queue."
  }
}
