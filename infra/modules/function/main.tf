resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116:Events wait in queues with dead letters of their own; the clock comes again; others are told at once.
  # checkov:skip=CKV_AWS_173:Variables hold names and numbers, no secrets, and are encrypted with AWS's own key, which is free.
  # checkov:skip=CKV_AWS_272:The role that deploys could as well change the signing; what runs is the hash that the plan shows.
  function_name    = var.name
  description      = var.description
  handler          = var.handler
  runtime          = var.runs_on.runtime
  architectures    = [var.runs_on.architecture]
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  role             = aws_iam_role.this.arn
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds

  # What is called is a version that nobody can change any more; which one, the alias says.
  publish = true

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = var.traced ? "Active" : "PassThrough"
  }

  dynamic "vpc_config" {
    for_each = var.network[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "snap_start" {
    for_each = var.starts.snapshot ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  # Lambda would make a log group of its own that is kept for ever, and asks at once whether the role suffices.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that is called."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  for_each = toset(var.starts.kept_warm > 0 ? [aws_lambda_alias.live.name] : [])

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = each.value
  provisioned_concurrent_executions = var.starts.kept_warm
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_days
}
