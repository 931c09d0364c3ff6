# The permissions to run `pulsequeue verify` for this environment, and no others.
locals {
  verifying = {
    Look = {
      actions = ["dynamodb:DescribeTable", "events:DescribeEventBus", "events:DescribeRule", "events:ListTargetsByRule", "lambda:GetFunctionConfiguration", "logs:FilterLogEvents", "scheduler:GetSchedule", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
      # Wildcards: the names of all resources of an environment, and of no others, start with its prefix.
      resources = [
        module.bus.arn,
        "${local.arn}:dynamodb:${local.where}:table/${local.prefix}-*",
        "${local.arn}:events:${local.where}:rule/${local.prefix}/${local.prefix}-*",
        "${local.arn}:lambda:${local.where}:function:${local.prefix}-*",
        "${local.arn}:logs:${local.where}:log-group:/aws/lambda/${local.prefix}-*",
        "${local.arn}:scheduler:${local.where}:schedule/default/${local.prefix}-*",
        "${local.arn}:sqs:${local.where}:${local.prefix}-*",
      ]
    }
    LookAround = {
      actions = ["cloudfront:ListDistributions", "cognito-idp:ListUserPools", "lambda:ListEventSourceMappings", "sqs:ListQueues"]
      # Wildcard: list calls have no resource-level permissions.
      resources = ["*"]
    }
    LookAtTheApi = {
      actions = ["apigateway:GET"]
      # Wildcard: the API is found by its name, but its ARN contains an id.
      resources = ["${local.arn}:apigateway:${data.aws_region.this.name}::/apis", "${local.arn}:apigateway:${data.aws_region.this.name}::/apis/*"]
    }
    LookAtUsers = {
      actions   = ["cognito-idp:ListUserPoolClients"]
      resources = ["${local.arn}:cognito-idp:${local.where}:userpool/${module.users.id}"]
    }
    ReadTheToken = {
      actions   = ["ssm:GetParameter"]
      resources = [module.secret["metrics-token"].arn]
    }
    Collect = {
      actions   = ["lambda:InvokeFunction"]
      resources = ["${local.arn}:lambda:${local.where}:function:${local.prefix}-collector"]
    }
    PlaceOrders = {
      actions   = ["events:PutEvents"]
      resources = [module.bus.arn]
    }
    ReadOrders = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [module.table["inventory"].arn, module.table["orders"].arn]
    }
    SetStock = {
      actions   = ["dynamodb:DeleteItem", "dynamodb:PutItem"]
      resources = [module.table["inventory"].arn]
    }
    ComeLate = {
      actions   = ["sqs:SendMessage"]
      resources = [for name, it in local.consumers : "${local.arn}:sqs:${local.where}:${local.prefix}-${name}" if try(it.delaySeconds, 0) != 0]
    }
    TakeOutDeadLetters = {
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"]
      resources = [for it in values(module.consumer) : it.dead_letter_queue_arn]
    }
    ListenByARule = {
      actions = ["events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"]
      # Wildcard: each run creates one of its own and deletes it.
      resources = ["${local.arn}:events:${local.where}:rule/${local.prefix}/${local.prefix}-verify-*"]
    }
    ListenInAQueue = {
      actions = ["sqs:CreateQueue", "sqs:DeleteMessage", "sqs:DeleteQueue", "sqs:ReceiveMessage", "sqs:SetQueueAttributes"]
      # Wildcard: each run creates one of its own and deletes it.
      resources = ["${local.arn}:sqs:${local.where}:${local.prefix}-verify-*"]
    }
  }
}

resource "aws_iam_policy" "verify" {
  name        = "${local.prefix}-verify"
  description = "What it takes to run `pulsequeue verify --env ${var.environment}`."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, it in local.verifying : {
      Sid      = name
      Effect   = "Allow"
      Action   = it.actions
      Resource = it.resources
    }]
  })
}
