# On AWS sqs:SendMessage covers batches. The emulator requires a permission named like the operation.
resource "aws_iam_role_policy" "batches" {
  for_each = module.pulsequeue.dead_letter_queue_arns

  name = "batches"
  role = "local-pulsequeue-${each.key}"

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
