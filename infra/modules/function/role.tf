locals {
  # Whatever the function is for, it writes its log.
  own_rights = {
    WriteLog = {
      actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # Wildcard: Lambda names the streams.
      resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
    }
  }

  tracing_rights = {
    WriteTraces = {
      actions = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      # Wildcard: X-Ray has no resources to name.
      resources = ["*"]
    }
  }

  network_rights = {
    JoinNetwork = {
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      # Wildcard: Lambda makes the interfaces, and checks the role before there are any.
      resources = ["*"]
    }
  }

  rights = merge(local.own_rights, var.traced ? local.tracing_rights : {}, var.network == null ? {} : local.network_rights, var.rights)
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "What function ${var.name} may do."

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
  name = "rights"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, right in local.rights : {
      Sid      = name
      Effect   = "Allow"
      Action   = right.actions
      Resource = right.resources
    }]
  })
}
