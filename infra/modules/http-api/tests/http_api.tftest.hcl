mock_provider "aws" {
  override_during = plan

  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "abc", execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:abc" }
  }

  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "auth1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/dev-shop-api" }
  }
}

variables {
  name  = "dev-shop"
  users = { issuer = "https://cognito-idp.eu-central-1.amazonaws.com/pool", client_ids = ["client"] }

  functions = {
    metrics = { name = "dev-shop-metrics", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-metrics:live", routes = ["GET /metrics"] }
    answers = { name = "dev-shop-answers", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-answers:live", routes = ["GET /api/{proxy+}", "POST /api/{proxy+}"], callers = "users" }
  }
}

run "routes_for_users_require_a_token" {
  command = plan

  assert {
    condition     = { for key, it in aws_apigatewayv2_route.this : key => "${it.authorization_type} ${coalesce(it.authorizer_id, "-")}" } == { "GET /metrics" = "NONE -", "GET /api/{proxy+}" = "JWT auth1", "POST /api/{proxy+}" = "JWT auth1" }
    error_message = "Routes for users must require a token."
  }
}

run "may_invoke_a_function_for_its_routes_only" {
  command = plan

  assert {
    condition     = { for key, it in aws_lambda_permission.this : key => it.source_arn } == { "GET /metrics" = "arn:aws:execute-api:eu-central-1:123456789012:abc/*/GET/metrics", "GET /api/{proxy+}" = "arn:aws:execute-api:eu-central-1:123456789012:abc/*/GET/api/{proxy+}", "POST /api/{proxy+}" = "arn:aws:execute-api:eu-central-1:123456789012:abc/*/POST/api/{proxy+}" }
    error_message = "Each permission must name its route."
  }

  assert {
    condition     = toset([for it in aws_lambda_permission.this : it.qualifier]) == toset(["live"])
    error_message = "Permissions must be for the live alias."
  }
}

run "throttles_and_logs_requests" {
  command = plan

  assert {
    condition     = one(aws_apigatewayv2_stage.this.default_route_settings).throttling_rate_limit == 50 && one(aws_apigatewayv2_stage.this.default_route_settings).throttling_burst_limit == 100
    error_message = "Expected a rate limit of 50 and a burst limit of 100."
  }

  assert {
    condition     = one(aws_apigatewayv2_stage.this.access_log_settings).destination_arn == aws_cloudwatch_log_group.this.arn
    error_message = "Requests must be logged."
  }
}

run "listed_origins_may_use_the_methods_of_users_routes" {
  command = plan

  variables {
    web_origins = ["https://console.example.com"]
  }

  assert {
    condition     = one(aws_apigatewayv2_api.this.cors_configuration).allow_methods == toset(["GET", "POST"]) && one(aws_apigatewayv2_api.this.cors_configuration).allow_origins == toset(["https://console.example.com"])
    error_message = "A page could not call the API."
  }

  assert {
    condition     = contains(one(aws_apigatewayv2_api.this.cors_configuration).allow_headers, "authorization")
    error_message = "A page could not send its token."
  }
}

run "refuses_any_method_because_it_would_catch_preflights" {
  command = plan

  variables {
    functions = { one = { name = "one", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:one", routes = ["ANY /api/{proxy+}"], callers = "users" } }
  }

  expect_failures = [var.functions]
}

run "refuses_every_origin" {
  command = plan

  variables {
    web_origins = ["*"]
  }

  expect_failures = [var.web_origins]
}

run "a_route_can_have_a_limit_of_its_own" {
  command = plan

  variables {
    functions = {
      metrics = { name = "dev-shop-metrics", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-metrics:live", routes = ["GET /metrics"] }
      answers = { name = "dev-shop-answers", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-answers:live", routes = ["GET /api/a", "POST /api/b"], callers = "users", requests_per_second = 10 }
    }
  }

  assert {
    condition     = { for it in aws_apigatewayv2_stage.this.route_settings : it.route_key => [it.throttling_rate_limit, it.throttling_burst_limit] } == { "GET /api/a" = [10, 20], "POST /api/b" = [10, 20] }
    error_message = "Each route of the function, and no other, must have its limit."
  }
}

run "refuses_one_route_to_two_functions" {
  command = plan

  variables {
    functions = {
      one = { name = "one", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:one", routes = ["GET /metrics"] }
      two = { name = "two", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:two", routes = ["GET /metrics"] }
    }
  }

  expect_failures = [var.functions]
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name                = ""
    requests_per_second = 0
    users               = { issuer = "cognito", client_ids = ["client"] }
    functions           = { one = { name = "one", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:one", routes = ["metrics"], callers = "all", requests_per_second = 0 } }
  }

  expect_failures = [var.name, var.requests_per_second, var.users, var.functions]
}

run "failures_and_latency_raise_alarms" {
  command = plan

  variables {
    alarm_topic_arns = ["arn:aws:sns:eu-central-1:123456789012:alarms"]
  }

  assert {
    condition = { for query in aws_cloudwatch_metric_alarm.server_errors.metric_query : query.id => coalesce(query.expression, try("${one(query.metric).metric_name} ${one(query.metric).dimensions.ApiId}", "none")) } == {
      share    = "100 * failed / requests"
      failed   = "5xx abc"
      requests = "Count abc"
    }
    error_message = "The alarm must be on the share of the API's requests that fail."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.latency.extended_statistic == "p99" && aws_cloudwatch_metric_alarm.latency.threshold == 3000 && aws_cloudwatch_metric_alarm.latency.dimensions.ApiId == "abc"
    error_message = "The slowest hundredth of requests must raise an alarm above 3 s."
  }

  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.server_errors, aws_cloudwatch_metric_alarm.latency] : alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"])])
    error_message = "The alarms must notify the topics."
  }
}
