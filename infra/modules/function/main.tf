resource "aws_lambda_function" "this" {
  # checkov:skip=CKV_AWS_116:Events wait in queues that have dead-letter queues; schedules run again; other callers get the error directly.
  # checkov:skip=CKV_AWS_173:Variables hold names and numbers, no secrets, and are encrypted with the AWS managed key, which is free.
  # checkov:skip=CKV_AWS_272:The role that deploys could also change the signing configuration; the plan shows the hash of what runs.
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

  # Callers invoke an immutable published version through the alias.
  publish = true

  reserved_concurrent_executions = coalesce(var.reserved_concurrency, -1)

  environment {
    variables = var.environment
  }

  dynamic "ephemeral_storage" {
    for_each = var.scratch_mb > 512 ? [var.scratch_mb] : []

    content {
      size = ephemeral_storage.value
    }
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
    for_each = var.cold_starts.snapstart ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  # Otherwise Lambda would create a log group that never expires; it also checks the role at once.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that callers invoke."
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  # `pulsequeue shift` moves it, after the schema was migrated and a share of the calls raised no alarm.
  lifecycle {
    ignore_changes = [description, function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  for_each = toset(var.cold_starts.provisioned_concurrency > 0 ? [aws_lambda_alias.live.name] : [])

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = each.value
  provisioned_concurrent_executions = var.cold_starts.provisioned_concurrency
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_days
}
