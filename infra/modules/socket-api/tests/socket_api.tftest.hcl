mock_provider "aws" {
  override_during = plan

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc", api_endpoint = "wss://abc.execute-api.eu-central-1.amazonaws.com" }
  }

  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "auth1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/dev-shop-socket" }
  }
}

variables {
  name       = "dev-shop-socket"
  routes     = ["$connect", "$disconnect", "join"]
  function   = { name = "dev-shop-presence", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-presence:live" }
  authorizer = { name = "dev-shop-ticket", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-ticket:live" }
}

run "a_connection_needs_a_ticket" {
  command = plan

  assert {
    condition     = { for key, it in aws_apigatewayv2_route.this : key => it.authorization_type } == { "$connect" = "CUSTOM", "$disconnect" = "NONE", "join" = "NONE" } && aws_apigatewayv2_route.this["$connect"].authorizer_id == "auth1"
    error_message = "Whoever connects must be admitted, once."
  }

  assert {
    condition     = aws_apigatewayv2_authorizer.ticket.identity_sources == toset(["route.request.querystring.ticket"])
    error_message = "Without a ticket the authorizer must not even be asked."
  }
}

run "its_stage_is_the_path_of_the_distribution" {
  command = plan

  assert {
    condition     = aws_apigatewayv2_stage.this.name == "live" && output.domain == "abc.execute-api.eu-central-1.amazonaws.com"
    error_message = "CloudFront asks for /live."
  }
}

run "may_invoke_its_functions_for_its_routes_only" {
  command = plan

  assert {
    condition     = { for key, it in aws_lambda_permission.function : key => it.source_arn } == { for key in ["$connect", "$disconnect", "join"] : key => "arn:aws:execute-api:eu-central-1:123456789012:abc/live/${key}" }
    error_message = "Each permission must name its route."
  }

  assert {
    condition     = aws_lambda_permission.authorizer.source_arn == "arn:aws:execute-api:eu-central-1:123456789012:abc/authorizers/auth1"
    error_message = "Only this API's authorizer may ask for admission."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name                = ""
    routes              = ["join", "$other"]
    messages_per_second = 0
  }

  expect_failures = [var.name, var.routes, var.messages_per_second]
}
