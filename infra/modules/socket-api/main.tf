# A WebSocket API, its one function, and the function that admits connections. scripts/local/aws/socket.py is the same
# for the local stack.
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  # How API Gateway addresses a function for sockets.
  invoked = "arn:${data.aws_partition.this.partition}:apigateway:${data.aws_region.this.name}:lambda:path/2015-03-31/functions"
}

resource "aws_apigatewayv2_api" "this" {
  name                       = var.name
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_stage" "this" {
  # checkov:skip=CKV2_AWS_51:Browsers have no certificate to show; $connect takes a ticket that signed-in people get.
  api_id = aws_apigatewayv2_api.this.id
  # CloudFront passes the path /live on as it is: it is the stage.
  name        = "live"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.messages_per_second
    throttling_burst_limit = 2 * var.messages_per_second
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this.arn

    # No IP address, and no ticket: it is in the address of $connect.
    format = jsonencode({
      requestId  = "$context.requestId"
      time       = "$context.requestTimeEpoch"
      route      = "$context.routeKey"
      status     = "$context.status"
      connection = "$context.connectionId"
      refused    = "$context.authorizer.error"
      failed     = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_cloudwatch_log_group" "this" {
  # Log groups under this prefix share one resource policy, whose size is limited.
  name              = "/aws/vendedlogs/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_apigatewayv2_authorizer" "ticket" {
  api_id           = aws_apigatewayv2_api.this.id
  name             = "ticket"
  authorizer_type  = "REQUEST"
  authorizer_uri   = "${local.invoked}/${var.authorizer.arn}/invocations"
  identity_sources = ["route.request.querystring.ticket"]
}

resource "aws_apigatewayv2_integration" "this" {
  api_id             = aws_apigatewayv2_api.this.id
  integration_type   = "AWS_PROXY"
  integration_uri    = "${local.invoked}/${var.function.arn}/invocations"
  integration_method = "POST"
}

resource "aws_apigatewayv2_route" "this" {
  # checkov:skip=CKV_AWS_309:A connection is admitted once, at $connect, by its ticket; messages come over admitted connections.
  for_each = toset(var.routes)

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = each.key == "$connect" ? "CUSTOM" : "NONE"
  authorizer_id      = each.key == "$connect" ? aws_apigatewayv2_authorizer.ticket.id : null
}

resource "aws_lambda_permission" "function" {
  for_each = toset(var.routes)

  statement_id  = "socket-${trimprefix(each.key, "$")}"
  action        = "lambda:InvokeFunction"
  function_name = var.function.name
  qualifier     = var.function.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/live/${each.key}"
}

resource "aws_lambda_permission" "authorizer" {
  statement_id  = "socket-authorizer"
  action        = "lambda:InvokeFunction"
  function_name = var.authorizer.name
  qualifier     = var.authorizer.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.ticket.id}"
}
