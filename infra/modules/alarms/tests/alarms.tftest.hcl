mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:dev-pulsequeue-alarms" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/slack" }
  }
}

variables {
  prefix = "dev-pulsequeue"
  objectives = {
    in-time = {
      description = "Orders are settled within 5 s."
      objective   = 0.99
      all         = [{ metric = "order_settlement_duration_seconds", statistic = "SampleCount" }]
      good        = [{ metric = "order_settlement_duration_seconds_bucket", dimensions = { le = "5" } }]
    }
  }
}

run "the_topic_is_encrypted_and_takes_alarms_and_budgets_of_this_account" {
  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == aws_kms_key.this.arn && aws_kms_key.this.enable_key_rotation
    error_message = "The topic is not encrypted with its key."
  }

  assert {
    condition = alltrue([
      for policy in [aws_kms_key.this.policy, aws_sns_topic_policy.this.policy] : anytrue([
        for statement in jsondecode(policy).Statement :
        try(statement.Principal.Service == ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"] && statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012", false)
      ])
    ])
    error_message = "CloudWatch or Budgets cannot publish, or those of other accounts can."
  }
}

run "an_objective_combines_a_long_and_a_short_window" {
  assert {
    condition     = aws_cloudwatch_composite_alarm.objective["in-time-fast"].alarm_rule == "ALARM(\"dev-pulsequeue-slo-in-time-fast-long\") AND ALARM(\"dev-pulsequeue-slo-in-time-fast-short\")"
    error_message = "The composite alarm does not need both windows."
  }

  assert {
    condition     = { for name, alarm in aws_cloudwatch_metric_alarm.window : name => alarm.threshold } == { in-time-fast-long = 14.4, in-time-fast-short = 14.4, in-time-slow-long = 6, in-time-slow-short = 6 }
    error_message = "The burn rate threshold is too high."
  }

  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.window : name => one(distinct(flatten([for query in alarm.metric_query : query.metric[*].period])))
    } == { in-time-fast-long = 3600, in-time-fast-short = 300, in-time-slow-long = 21600, in-time-slow-short = 1800 }
    error_message = "A window has another length."
  }
}

run "the_burn_rate_is_the_share_of_bad_events" {
  assert {
    condition = {
      for query in aws_cloudwatch_metric_alarm.window["in-time-fast-long"].metric_query : query.id => coalesce(query.expression, try("${one(query.metric).metric_name} ${one(query.metric).stat}", "nothing"))
      } == {
      burn = "IF(all > 0, (1 - good / all) / 0.010000, 0)"
      all  = "FILL(m0, 0)"
      good = "FILL(m1, 0)"
      m0   = "order_settlement_duration_seconds SampleCount"
      m1   = "order_settlement_duration_seconds_bucket Sum"
    }
    error_message = "The burn rate has another formula."
  }

  assert {
    condition     = alltrue([for query in aws_cloudwatch_metric_alarm.window["in-time-fast-long"].metric_query : query.return_data == (query.id == "burn" ? true : null)])
    error_message = "The alarm watches more than the burn rate."
  }
}

run "only_objectives_notify_not_their_windows" {
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.window : length(coalesce(alarm.alarm_actions, [])) == 0]) && alltrue([for alarm in aws_cloudwatch_composite_alarm.objective : alarm.alarm_actions == toset([aws_sns_topic.this.arn])])
    error_message = "Notifications are sent twice or not at all."
  }
}

run "a_metric_alarm_is_as_described_and_quiet_without_data" {
  variables {
    metrics = {
      payments-refused = {
        description = "Payments are refused."
        namespace   = "dev-pulsequeue"
        metric      = "payments_total"
        dimensions  = { outcome = "failed" }
        threshold   = 100
      }
    }
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.metric["payments-refused"].alarm_name == "dev-pulsequeue-payments-refused" && aws_cloudwatch_metric_alarm.metric["payments-refused"].treat_missing_data == "notBreaching" && aws_cloudwatch_metric_alarm.metric["payments-refused"].statistic == "Sum" && aws_cloudwatch_metric_alarm.metric["payments-refused"].alarm_actions == toset([aws_sns_topic.this.arn])
    error_message = "The alarm differs from its description."
  }
}

run "notifies_emails_webhooks_and_slack" {
  variables {
    emails   = ["team@example.com"]
    webhooks = ["https://events.example.com/sns"]
    slack    = { workspace_id = "T0123ABC", channel_id = "C0123ABC" }
  }

  assert {
    condition     = aws_sns_topic_subscription.email["team@example.com"].protocol == "email" && aws_sns_topic_subscription.webhook["https://events.example.com/sns"].protocol == "https" && aws_chatbot_slack_channel_configuration.this["this"].sns_topic_arns == toset([aws_sns_topic.this.arn])
    error_message = "A subscriber is not notified."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix   = "dev"
    emails   = ["team"]
    webhooks = ["http://events.example.com"]
    slack    = { workspace_id = "acme", channel_id = "#pages" }
    metrics = {
      wrong = { description = "", namespace = "n", metric = "m", threshold = 1, statistic = "p99", missing = "none" }
    }
    objectives = {
      wrong = { description = "", objective = 1, all = [], good = [] }
    }
  }

  expect_failures = [var.prefix, var.emails, var.webhooks, var.slack, var.metrics, var.objectives]
}

run "refuses_a_slack_webhook_because_it_would_receive_nothing" {
  command = plan

  variables {
    webhooks = ["https://hooks.slack.com/services/T/B/x"]
  }

  expect_failures = [var.webhooks]
}
