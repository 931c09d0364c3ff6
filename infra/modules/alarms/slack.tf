# Slack webhooks do not understand SNS messages. AWS's own Slack app does, and formats them.

locals {
  slack = { for channel in var.slack[*] : "this" => channel }
}

resource "aws_iam_role" "slack" {
  for_each = local.slack

  name                 = "${local.name}-slack"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Reads the graph shown with an alarm in Slack."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "chatbot.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "slack" {
  # checkov:skip=CKV_AWS_355:DescribeAlarms returns composite alarms only with permission on all alarms; metrics have no resource-level permissions.
  for_each = local.slack

  name = "graphs"
  role = aws_iam_role.slack[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricWidgetImage"]
      # CloudWatch has no resource-level permissions for metrics.
      Resource = "*"
    }]
  })
}

resource "aws_chatbot_slack_channel_configuration" "this" {
  for_each = local.slack

  configuration_name = local.name
  iam_role_arn       = aws_iam_role.slack[each.key].arn
  slack_team_id      = each.value.workspace_id
  slack_channel_id   = each.value.channel_id
  sns_topic_arns     = [aws_sns_topic.this.arn]
  logging_level      = "ERROR"
  # Commands typed into the channel can only read.
  guardrail_policy_arns = ["${local.arn_root}:iam::aws:policy/CloudWatchReadOnlyAccess"]
}
