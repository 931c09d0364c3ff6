variable "emulator" {
  description = "What this machine has in place of AWS's own."
  type        = object({ architecture = string, concurrency_limit = number, database_port = number, hold_seconds = number })
  default     = null # an override file cannot add what is required
}

# AWS takes sqs:SendMessage for batches, too. The emulator asks for a right that is called like the operation.
resource "aws_iam_role_policy" "batches" {
  for_each = module.pulsequeue.dead_letter_queue_arns

  name = "batches"
  role = "${local.prefix}-${each.key}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "SendInBatches"
      Effect   = "Allow"
      Action   = ["sqs:SendMessageBatch"]
      Resource = [each.value]
    }]
  })

  depends_on = [module.pulsequeue]
}
