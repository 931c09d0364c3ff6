# Alarms on what no single module can see. Both treat missing data as an outage or as zero: silence is not health.
locals {
  # Everything that ends an order's way, or answers a message about it.
  decisions = {
    paid      = { metric = "payments_total", outcome = "succeeded" }
    declined  = { metric = "payments_total", outcome = "failed" }
    rejected  = { metric = "orders_total", outcome = "rejected" }
    cancelled = { metric = "orders_total", outcome = "cancelled" }
    expired   = { metric = "orders_total", outcome = "expired" }
    duplicate = { metric = "orders_total", outcome = "duplicate" }
  }
  # For each consumer an event that it waits for and that our services count when they publish it.
  awaited = {
    for name, it in local.consumers : name => contains(it.subscriptions, "PaymentRequested") ? "PaymentRequested" : it.subscriptions[0] if can(it.subscriptions)
  }

  settled = join(" + ", [for id in keys(local.decisions) : "FILL(${id}, 0)"])
}

resource "aws_cloudwatch_metric_alarm" "nothing_settled" {
  alarm_name          = "${local.prefix}-nothing-settled"
  alarm_description   = "Orders were placed and none was settled, rejected or cancelled, in two of six periods of five minutes (${var.runbooks_url}/orders-not-settled.md)."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 6
  # One is not enough: the last order of a period may be settled in the next.
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching" # without a single message no order was placed

  metric_query {
    id          = "stopped"
    label       = "1 while orders are placed and none is settled"
    expression  = "IF(placed > 0 AND (${local.settled}) == 0, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "placed"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfMessagesSent"
      dimensions  = { QueueName = "${local.prefix}-order" }
      stat        = "Sum"
      period      = 300
    }
  }

  dynamic "metric_query" {
    for_each = local.decisions

    content {
      id = metric_query.key
      metric {
        namespace   = local.prefix
        metric_name = metric_query.value.metric
        dimensions  = { outcome = metric_query.value.outcome }
        stat        = "Sum"
        period      = 300
      }
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# A rule that is disabled, deleted or has another pattern fails silently: EventBridge has nothing to deliver.
resource "aws_cloudwatch_metric_alarm" "rule_silent" {
  for_each = local.awaited

  alarm_name          = "${local.prefix}-${each.key}-rule-silent"
  alarm_description   = "${each.value} was published and nothing arrived in the queue of ${local.prefix}-${each.key}, in two of six periods of five minutes (${var.runbooks_url}/events-undelivered.md)."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 6
  datapoints_to_alarm = 2              # the last event of a period may arrive in the next
  treat_missing_data  = "notBreaching" # nothing was published

  metric_query {
    id          = "silent"
    label       = "1 while events are published and none arrives"
    expression  = "IF(published > 0 AND FILL(arrived, 0) == 0, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "published"
    metric {
      namespace   = local.prefix
      metric_name = "events_published_total"
      dimensions  = { event = each.value }
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "arrived"
    metric {
      namespace   = "AWS/SQS"
      metric_name = "NumberOfMessagesSent"
      dimensions  = { QueueName = "${local.prefix}-${each.key}" }
      stat        = "Sum"
      period      = 300
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "collector_stale" {
  alarm_name          = "${local.prefix}-metrics-stale"
  alarm_description   = "No collection has succeeded for five minutes, so /metrics answers 503 and Prometheus sees nothing (${var.runbooks_url}/metrics-stale.md)."
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  treat_missing_data  = "breaching" # a schedule that does not run sends no metrics

  metric_query {
    id          = "succeeded"
    label       = "collections that succeeded"
    expression  = "invocations - FILL(errors, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { invocations = "Invocations", errors = "Errors" }

    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/Lambda"
        metric_name = metric_query.value
        dimensions  = { FunctionName = "${local.prefix}-collector" }
        stat        = "Sum"
        period      = 60
      }
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
