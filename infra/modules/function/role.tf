locals {
  # Every function writes its log.
  own_permissions = {
    WriteLog = {
      actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # Wildcard: Lambda names the log streams.
      resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
    }
  }

  tracing_permissions = {
    WriteTraces = {
      actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      # Wildcard: X-Ray has no resource-level permissions.
      resources = ["*"]
    }
  }

  network_permissions = {
    JoinNetwork = {
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      # Wildcard: Lambda creates the network interfaces, and checks the role before they exist.
      resources = ["*"]
    }
  }

  permissions = merge(local.own_permissions, var.traced ? local.tracing_permissions : {}, var.network == null ? {} : local.network_permissions, var.permissions)
}

resource "aws_iam_role" "this" {
  name                 = var.name
  permissions_boundary = var.permissions_boundary_arn
  description          = "Permissions of the function ${var.name}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "permissions"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, it in local.permissions : {
      Sid      = name
      Effect   = "Allow"
      Action   = it.actions
      Resource = it.resources
    }]
  })
}
