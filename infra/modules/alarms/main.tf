data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  name     = "${var.prefix}-alarms"
  account  = data.aws_caller_identity.here.account_id
  arn_root = "arn:${data.aws_partition.here.partition}"

  # Services that publish to the topic.
  tellers = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
}

# The AWS managed key of SNS admits principals of the account only, and so neither CloudWatch nor Budgets.
resource "aws_kms_key" "this" {
  description             = "Messages of the topic ${local.name}."
  enable_key_rotation     = true
  deletion_window_in_days = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "${local.arn_root}:iam::${local.account}:root" }
        Action    = "kms:*" # without this the account could not administer the key
        Resource  = "*"     # in a key policy: this key
      },
      {
        Sid       = "Publishers"
        Effect    = "Allow"
        Principal = { Service = local.tellers }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*" # in a key policy: this key
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}

resource "aws_sns_topic" "this" {
  name              = local.name
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Publishers"
        Effect    = "Allow"
        Principal = { Service = local.tellers }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      {
        Sid       = "RequireTls"
        Effect    = "Deny"
        Principal = "*" # a deny statement, for every principal
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_sns_topic_subscription" "webhook" {
  for_each = var.webhooks

  topic_arn = aws_sns_topic.this.arn
  protocol  = "https"
  endpoint  = each.key
  # With a single attempt, a webhook that is restarting would miss the notification.
  delivery_policy = jsonencode({
    healthyRetryPolicy = { numRetries = 10, minDelayTarget = 5, maxDelayTarget = 300, backoffFunction = "exponential" }
  })
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  for_each = var.metrics

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}
