mock_provider "aws" {}

variables {
  prefix      = "dev-pulsequeue"
  monthly_usd = 50
  emails      = ["team@example.com"]
}

run "notifies_at_80_percent_and_on_a_forecast_above_100_percent" {
  assert {
    condition = toset([
      for notification in aws_budgets_budget.this.notification : "${notification.notification_type} ${notification.threshold}"
    ]) == toset(["ACTUAL 80", "FORECASTED 100"])
    error_message = "A threshold is wrong."
  }

  assert {
    condition     = aws_budgets_budget.this.limit_amount == "50.00" && aws_budgets_budget.this.time_unit == "MONTHLY" && length(aws_budgets_budget.this.cost_filter) == 0
    error_message = "The amount or period is wrong."
  }
}

run "notifies_emails_and_topic_of_both" {
  variables {
    topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms"
  }

  assert {
    condition = alltrue([
      for notification in aws_budgets_budget.this.notification :
      toset(notification.subscriber_email_addresses) == toset(["team@example.com"]) && toset(notification.subscriber_sns_topic_arns) == toset(["arn:aws:sns:us-east-1:123456789012:alarms"])
    ])
    error_message = "A subscriber is not notified."
  }
}

run "with_a_tag_counts_only_its_costs" {
  variables {
    tag = { key = "Environment", value = "dev" }
  }

  assert {
    condition     = one(one(aws_budgets_budget.this.cost_filter).values) == "user:Environment$dev"
    error_message = "Other costs are counted."
  }
}

run "refuses_a_budget_that_notifies_nobody" {
  command = plan

  variables {
    emails = []
  }

  expect_failures = [aws_budgets_budget.this]
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    prefix      = "dev"
    monthly_usd = 0
    emails      = ["team"]
    topic_arn   = "alarms"
  }

  expect_failures = [var.prefix, var.monthly_usd, var.emails, var.topic_arn]
}
