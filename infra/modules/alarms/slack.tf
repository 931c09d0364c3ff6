# A webhook of Slack understands nothing that SNS sends. AWS's own app does, and says it in words.

locals {
  slack = { for channel in var.slack[*] : "this" => channel }
}

resource "aws_iam_role" "slack" {
  for_each = local.slack

  name        = "${local.name}-slack"
  description = "Looks up the graph that goes with an alarm in Slack."

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
  # checkov:skip=CKV_AWS_355:DescribeAlarms tells of composite alarms only to who may ask for all; metrics have no resources.
  for_each = local.slack

  name = "graphs"
  role = aws_iam_role.slack[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricWidgetImage"]
      # CloudWatch has no resources to name for metrics.
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
  # Whatever somebody types into the channel, it can look and nothing else.
  guardrail_policy_arns = ["${local.arn_root}:iam::aws:policy/CloudWatchReadOnlyAccess"]
}
