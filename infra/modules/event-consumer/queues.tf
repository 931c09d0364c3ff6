locals {
  retention_seconds = var.retention_days * 86400

  only_encrypted = {
    for named, arn in { queue = local.queue_arn, dead_letters = local.dead_letters_arn } : named => {
      Sid                     = "RequireTls"
      Effect                  = "Deny"
      # Wildcard: a deny statement, for every principal.
      Principal = { AWS = "*" }
      Action    = ["sqs:SendMessage", "sqs:ReceiveMessage"]
      Resource  = [arn]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }

  # EventBridge sends events to the queue, and to the other one what it could not deliver.
  from_rule = {
    for named, arn in { queue = local.queue_arn, dead_letters = local.dead_letters_arn } : named => {
      Sid                     = "AllowRule"
      Effect                  = "Allow"
      Principal               = { Service = "events.amazonaws.com" }
      Action                  = ["sqs:SendMessage"]
      Resource                = [arn]
      Condition               = { ArnEquals = { "aws:SourceArn" = local.rule_arn } }
    }
  }

  # S3 sends notifications of objects to the queue alone: what it cannot send it tries again for hours.
  from_bucket = [
    for bucket in var.source_bucket[*] : {
      Sid       = "AllowBucket"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = ["sqs:SendMessage"]
      Resource  = [local.queue_arn]
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:${data.aws_partition.this.partition}:s3:::${bucket}" }
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id }
      }
    }
  ]

  # A policy needs a statement: without any there is none.
  policies = {
    for named in ["queue", "dead_letters"] : named => var.tls_only || local.has_rule || (named == "queue" && var.source_bucket != null) ? jsonencode({
      Version = "2012-10-17"
      Statement = concat(
        var.tls_only ? [local.only_encrypted[named]] : [],
        local.has_rule ? [local.from_rule[named]] : [],
        named == "queue" ? local.from_bucket : [],
      )
    }) : null
  }
}

# Policies are inline: as separate resources they take half a minute more for each queue.
resource "aws_sqs_queue" "this" {
  name                      = var.name
  delay_seconds             = var.delay_seconds
  message_retention_seconds = local.retention_seconds
  sqs_managed_sse_enabled   = true

  # As AWS recommends: six times the function's timeout plus the batch window.
  visibility_timeout_seconds = 6 * var.function.timeout_seconds + var.batch.window_seconds

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receives
  })

  policy = local.policies.queue
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dlq"
  message_retention_seconds = local.retention_seconds
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.queue_arn]
  })

  policy = local.policies.dead_letters
}
