data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # Without subscriptions other functions fill the queue.
  has_rule = length(var.subscriptions) > 0

  # Without a window Lambda hands over at most 10 messages; the function receives the rest of a batch itself.
  handed_over = var.batch.window_seconds > 0 ? var.batch.size : min(var.batch.size, 10)
  takes_more  = local.handed_over < var.batch.size ? { BATCH_SIZE = tostring(var.batch.size) } : {}

  where = "${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"

  # Composed here, because a queue's own policy cannot refer to the queue.
  queue_arn        = "arn:${data.aws_partition.this.partition}:sqs:${local.where}:${var.name}"
  dead_letters_arn = "${local.queue_arn}-dlq"
  rule_arn         = "arn:${data.aws_partition.this.partition}:events:${local.where}:rule/${var.bus_name}/${var.name}"
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
  scratch_mb               = var.function.scratch_mb
  log_days                 = var.function.log_days
  network                  = var.function.network
  traced                   = var.function.traced
  cold_starts              = var.function.cold_starts

  alarm_topic_arns = var.alarm_topic_arns
  runbooks_url     = var.runbooks_url

  environment = merge(var.function.environment, local.takes_more, {
    QUEUE_URL             = aws_sqs_queue.this.url
    DEAD_LETTER_QUEUE_URL = aws_sqs_queue.dead_letters.url
  })

  permissions = merge(var.function.permissions, {
    ConsumeMessages = {
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      resources = [aws_sqs_queue.this.arn]
    }
    SendToDeadLetterQueue = {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.dead_letters.arn]
    }
  })
}

resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = aws_sqs_queue.this.arn
  function_name                      = module.function.arn
  batch_size                         = local.handed_over
  maximum_batching_window_in_seconds = var.batch.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.batch.concurrency
  }
}

resource "aws_cloudwatch_event_rule" "this" {
  count = local.has_rule ? 1 : 0

  name           = var.name
  description    = var.function.description
  event_bus_name = var.bus_name

  # Matched by detail type only: external publishers choose their own source. Replays use a queue of their own.
  event_pattern = jsonencode({
    "detail-type" = var.subscriptions
    "replay-name" = [{ exists = false }]
  })
}

resource "aws_cloudwatch_event_target" "this" {
  count = local.has_rule ? 1 : 0

  rule           = aws_cloudwatch_event_rule.this[0].name
  event_bus_name = var.bus_name
  target_id      = "queue"
  arn            = aws_sqs_queue.this.arn

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  # Last, so that no message arrives before the function can consume it.
  depends_on = [aws_lambda_event_source_mapping.this]
}
