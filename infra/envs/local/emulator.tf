# On AWS sqs:SendMessage and sqs:ChangeMessageVisibility cover batches. The emulator requires permissions named
# like the operations.
resource "aws_iam_role_policy" "batches" {
  for_each = module.pulsequeue.dead_letter_queue_arns

  name = "batches"
  role = "local-pulsequeue-${each.key}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SendInBatches"
        Effect   = "Allow"
        Action   = ["sqs:SendMessageBatch"]
        Resource = [each.value]
      },
      {
        Sid      = "DelayInBatches"
        Effect   = "Allow"
        Action   = ["sqs:ChangeMessageVisibilityBatch"]
        Resource = [trimsuffix(each.value, "-dlq")]
      },
    ]
  })

  depends_on = [module.pulsequeue]
}

resource "aws_iam_role_policy" "send_in_batches" {
  for_each = module.pulsequeue.sends_to

  name = "send-in-batches"
  role = "local-pulsequeue-${each.key}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SendInBatches"
        Effect   = "Allow"
        Action   = ["sqs:SendMessageBatch"]
        Resource = each.value
      },
    ]
  })

  depends_on = [module.pulsequeue]
}
