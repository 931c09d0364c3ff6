# A function that receives the changes of a table, in the order of each item. scripts/local/aws/streams.py is the same
# for the local stack.
locals {
  table_arn = split("/stream/", var.stream_arn)[0]
}

module "function" {
  source = "../function"

  permissions_boundary_arn = var.permissions_boundary_arn
  name                     = var.name
  description              = var.function.description
  handler                  = var.function.handler
  package                  = var.function.package
  runs_on                  = var.function.runs_on
  memory_mb                = var.function.memory_mb
  timeout_seconds          = var.function.timeout_seconds
  environment              = var.function.environment
  log_days                 = var.function.log_days
  traced                   = var.function.traced
  cold_starts              = var.function.cold_starts

  alarm_topic_arns = var.alarm_topic_arns
  runbooks_url     = var.runbooks_url

  permissions = merge(var.function.permissions, {
    ReadStream = {
      actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [var.stream_arn]
    }
    ListStreams = {
      actions = ["dynamodb:ListStreams"]
      # Wildcard: every stream that the table ever had.
      resources = ["${local.table_arn}/stream/*"]
    }
    SendToDeadLetterQueue = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.dead_letters.arn]
    }
  })
}

# A batch that fails is halved and tried again; what fails for good is described in the dead-letter queue, so that one
# broken change does not hold up all later ones.
resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn               = var.stream_arn
  function_name                  = module.function.arn
  starting_position              = "LATEST"
  batch_size                     = var.batch_size
  bisect_batch_on_function_error = true
  maximum_retry_attempts         = var.tries - 1

  # Changes of other items invoke nothing, and cost nothing.
  filter_criteria {
    filter {
      pattern = jsonencode({ dynamodb = { Keys = { pk = { S = [for it in var.partitions : { prefix = it }] } } } })
    }
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dlq"
  message_retention_seconds = var.retention_days * 86400
  sqs_managed_sse_enabled   = true
}

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

resource "aws_cloudwatch_metric_alarm" "age" {
  alarm_name        = "${var.name}-age"
  alarm_description = "${var.name} is ${var.maximum_age_seconds} seconds behind the table's changes (${var.runbooks_url}/function-failing.md)."

  namespace           = "AWS/Lambda"
  metric_name         = "IteratorAge"
  dimensions          = { FunctionName = var.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.maximum_age_seconds * 1000
  period              = 60
  evaluation_periods  = 3
  # A table without changes sends none.
  treat_missing_data = "notBreaching"

  alarm_actions = var.alarm_topic_arns
  ok_actions    = var.alarm_topic_arns
}
