locals {
  of_api = { ApiId = aws_apigatewayv2_api.this.id }
}

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  alarm_name          = "${var.name}-api-5xx"
  alarm_description   = "More than 5 % of the API's requests failed with 5xx in three of five minutes (${var.runbooks_url}/api-failing.md)."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching" # without requests there are no metrics

  metric_query {
    id          = "share"
    label       = "failed requests, in percent"
    expression  = "100 * failed / requests"
    return_data = true
  }

  metric_query {
    id = "failed"
    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "5xx"
      dimensions  = local.of_api
      stat        = "Sum"
      period      = 60
    }
  }

  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/ApiGateway"
      metric_name = "Count"
      dimensions  = local.of_api
      stat        = "Sum"
      period      = 60
    }
  }

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${var.name}-api-latency"
  alarm_description   = "One in a hundred of the API's requests takes longer than ${var.slow_request_ms} ms (${var.runbooks_url}/api-failing.md)."
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  dimensions          = local.of_api
  extended_statistic  = "p99"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.slow_request_ms
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  # A percentile of a few requests is one of them.
  evaluate_low_sample_count_percentiles = "ignore"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
