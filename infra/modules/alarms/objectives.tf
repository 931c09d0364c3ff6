# An objective leaves an error budget, and an alarm watches its burn rate: at 1 it lasts exactly a month. Two windows
# are combined, as in the SRE workbook: the long one shows that it matters, the short one that it still goes on.

locals {
  # As in monitoring/prometheus/rules/slo.yml: 2 % of the month's budget in 1 hour, 5 % in 6 hours.
  burns = {
    fast = { rate = 14.4, long = 3600, short = 300 }
    slow = { rate = 6, long = 21600, short = 1800 }
  }

  windows = merge([
    for name, slo in var.objectives : merge([
      for speed, burn in local.burns : {
        for window in ["long", "short"] : "${name}-${speed}-${window}" => {
          burn   = "${name}-${speed}"
          rate   = burn.rate
          period = burn[window]
          budget = format("%.6f", 1 - slo.objective)
          series = distinct(concat(slo.all, slo.good))
          # A metric without data in this window counts as 0.
          all  = join(" + ", [for series in distinct(slo.all) : "FILL(m${index(distinct(concat(slo.all, slo.good)), series)}, 0)"])
          good = join(" + ", [for series in distinct(slo.good) : "FILL(m${index(distinct(concat(slo.all, slo.good)), series)}, 0)"])
        }
      }
    ]...)
  ]...)

  composites = merge([
    for name, slo in var.objectives : {
      for speed, burn in local.burns : "${name}-${speed}" => {
        objective = slo
        rate      = burn.rate
      }
    }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "window" {
  for_each = local.windows

  alarm_name          = "${var.prefix}-slo-${each.key}"
  alarm_description   = "One window of ${var.prefix}-slo-${each.value.burn}, which sends the notification."
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.rate
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "burn"
    label       = "how many times too fast the budget burns"
    expression  = "IF(all > 0, (1 - good / all) / ${each.value.budget}, 0)"
    return_data = true
  }

  metric_query {
    id         = "all"
    expression = each.value.all
  }

  metric_query {
    id         = "good"
    expression = each.value.good
  }

  dynamic "metric_query" {
    for_each = each.value.series

    content {
      id = "m${metric_query.key}"

      metric {
        namespace   = var.prefix
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = each.value.period
      }
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "objective" {
  for_each = local.composites

  alarm_name        = "${var.prefix}-slo-${each.key}"
  alarm_description = trimspace("${each.value.objective.description} The error budget burns more than ${each.value.rate} times too fast. ${each.value.objective.runbook}")
  alarm_rule = join(" AND ", [
    for window in ["long", "short"] : "ALARM(\"${aws_cloudwatch_metric_alarm.window["${each.key}-${window}"].alarm_name}\")"
  ])
  alarm_actions = [aws_sns_topic.this.arn]
  ok_actions    = [aws_sns_topic.this.arn]
}
