locals {
  run_by_ecs = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role" "execution" {
  name                 = "${local.name}-start"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Starts the containers of ${local.name}: provides their secrets and writes their logs."
  assume_role_policy   = local.run_by_ecs
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*" # its streams, which are named after future tasks
      },
      {
        Sid      = "Password"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = aws_cloudformation_stack.password.outputs["Arn"]
      },
      {
        Sid      = "Token"
        Effect   = "Allow"
        Action   = "ssm:GetParameters"
        Resource = local.token_parameter_arn
      },
    ]
  })
}

resource "aws_iam_role" "task" {
  name                 = "${local.name}-run"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Lets the containers of ${local.name} read their own files and publish alerts."
  assume_role_policy   = local.run_by_ecs
}

resource "aws_iam_role_policy" "task" {
  name = "files"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "List"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = module.files.arn
      },
      {
        Sid      = "Read"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${module.files.arn}/*" # the bucket holds nothing but these files
      },
      {
        Sid      = "Notify"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = var.alarms.topic_arn
      },
      {
        Sid      = "EncryptNotifications"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.alarms.key_arn
      },
    ]
  })
}
