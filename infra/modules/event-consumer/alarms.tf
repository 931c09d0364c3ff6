# A stopped rule, mapping or function loses nothing at first: messages wait, and SQS deletes them after the retention.
# These alarms go off long before.

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = aws_sqs_queue.dead_letters.name
  alarm_description = "The dead-letter queue of ${var.name} is not empty. Inspect its messages (${var.runbooks_url}/dead-letters.md)."

  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  # SQS sends no metrics for a queue without activity for hours.
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  alarm_name        = "${var.name}-queue-age"
  alarm_description = "A message of ${var.name} has waited for more than ${var.max_wait_seconds} s. Check the event source mapping and the function (${var.runbooks_url}/queue-backlog.md)."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = aws_sqs_queue.this.name }
  statistic   = "Maximum"
  # The age includes the delivery delay.
  threshold           = var.delay_seconds + var.max_wait_seconds
  comparison_operator = "GreaterThanThreshold"
  period              = 60
  evaluation_periods  = 3
  # SQS sends no metrics for a queue that has been empty for hours.
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}

# EventBridge counts here what it has given up: at once if the queue is missing or refuses, after a day of retries if not.
resource "aws_cloudwatch_metric_alarm" "failed_invocations" {
  count = local.has_rule ? 1 : 0

  alarm_name        = "${var.name}-failed-invocations"
  alarm_description = "EventBridge gave up delivering events to the queue of ${var.name}. Check the queue's policy (${var.runbooks_url}/events-undelivered.md)."

  namespace           = "AWS/Events"
  metric_name         = "FailedInvocations"
  dimensions          = { EventBusName = var.bus_name, RuleName = aws_cloudwatch_event_rule.this[0].name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching" # sent only when a delivery failed

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
