locals {
  routes = merge([
    for short, it in var.functions : { for route in it.routes : route => { function = short, callers = it.callers } }
  ]...)

  throttled = merge([
    for it in var.functions : { for route in it.routes : route => it.requests_per_second } if it.requests_per_second != null
  ]...)

  cors_methods = distinct(sort([for route, it in local.routes : split(" ", route)[0] if it.callers == "users"]))
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"

  # The gateway answers preflight requests itself, because they carry no token. A route with the method ANY would
  # catch them first, and its authorizer would answer 401.
  cors_configuration {
    allow_origins  = var.web_origins
    allow_methods  = local.cors_methods
    allow_headers  = ["authorization", "content-type", "idempotency-key", "if-match", "if-none-match"]
    expose_headers = ["etag", "link", "location", "retry-after"]
    max_age        = 3600
  }
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.requests_per_second
    throttling_burst_limit = 2 * var.requests_per_second
  }

  # A limit per route: those that cost most, or that an attacker would try, get less than the others.
  dynamic "route_settings" {
    for_each = local.throttled

    content {
      route_key              = route_settings.key
      throttling_rate_limit  = route_settings.value
      throttling_burst_limit = 2 * route_settings.value
    }
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this.arn

    # Route, caller and status of each request; no IP address, no token.
    format = jsonencode({
      requestId = "$context.requestId"
      time      = "$context.requestTimeEpoch"
      route     = "$context.routeKey"
      status    = "$context.status"
      ms        = "$context.responseLatency"
      user      = "$context.authorizer.claims.sub"
      refused   = "$context.authorizer.error"
      failed    = "$context.integrationErrorMessage"
    })
  }

  # Only routes that exist can have settings.
  depends_on = [aws_apigatewayv2_route.this]
}

resource "aws_cloudwatch_log_group" "this" {
  # Log groups under this prefix share one resource policy, whose size is limited.
  name              = "/aws/vendedlogs/${var.name}-api"
  retention_in_days = var.log_days
}

resource "aws_apigatewayv2_authorizer" "users" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "users"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.users.issuer
    audience = var.users.client_ids
  }
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.functions

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value.arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  # checkov:skip=CKV_AWS_309:Routes for users require a token of the pool; the others are for machines, whose token the function checks.
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value.function].id}"
  authorization_type = each.value.callers == "users" ? "JWT" : "NONE"
  authorizer_id      = each.value.callers == "users" ? aws_apigatewayv2_authorizer.users.id : null
}

resource "aws_lambda_permission" "this" {
  for_each = local.routes

  statement_id  = replace(replace(each.key, "/[^A-Za-z0-9]+/", "-"), "/^-|-$/", "")
  action        = "lambda:InvokeFunction"
  function_name = var.functions[each.value.function].name
  qualifier     = var.functions[each.value.function].alias
  principal     = "apigateway.amazonaws.com"

  # Wildcard: any stage; there is one.
  source_arn = "${aws_apigatewayv2_api.this.execution_arn}/*/${replace(each.key, " ", "")}"
}
