mock_provider "aws" {
  override_during = plan

  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/prod-shop/1" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-prod-shop" }
  }
}

variables {
  name = "prod-shop"
}

run "limits_each_address_before_anything_else" {
  command = plan

  variables {
    requests_per_five_minutes = 500
  }

  assert {
    condition = [
      for it in aws_wafv2_web_acl.this.rule : [one(one(it.statement).rate_based_statement).limit, one(one(it.statement).rate_based_statement).aggregate_key_type, one(one(one(it.action).block).custom_response).response_code]
      if it.priority == 0
    ] == [[500, "IP", 429]]
    error_message = "An address must get 429 after its limit."
  }
}

run "managed_rules_refuse_known_attacks" {
  command = plan

  assert {
    condition = toset([for it in aws_wafv2_web_acl.this.rule : it.name if try(length(one(it.override_action).none), 0) == 1]) == toset([
      "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
    ])
    error_message = "The managed rules must refuse, not only count."
  }

  assert {
    condition     = length(distinct([for it in aws_wafv2_web_acl.this.rule : it.priority])) == 4 && aws_wafv2_web_acl.this.scope == "CLOUDFRONT"
    error_message = "Each rule needs a priority of its own, at CloudFront."
  }
}

run "rules_that_would_refuse_our_own_requests_only_count" {
  command = plan

  assert {
    condition = toset(flatten([
      for it in aws_wafv2_web_acl.this.rule : [for group in one(it.statement).managed_rule_group_statement : [for override in group.rule_action_override : override.name if try(length(one(override.action_to_use).count), 0) == 1]]
    ])) == toset(["NoUserAgent_HEADER", "SizeRestrictions_BODY", "GenericRFI_BODY", "EC2MetaDataSSRF_BODY"])
    error_message = "Large orders, addresses of webhooks and machines without a user agent must pass."
  }
}

run "the_log_holds_what_was_refused_and_no_tokens" {
  command = plan

  assert {
    condition     = toset([for it in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(it.single_header).name]) == toset(["authorization", "cookie"]) && one(aws_wafv2_web_acl_logging_configuration.this.logging_filter).default_behavior == "DROP"
    error_message = "Tokens, sessions and requests that were allowed must not be logged."
  }

  assert {
    condition     = aws_wafv2_web_acl_logging_configuration.this.log_destination_configs == toset([aws_cloudwatch_log_group.this.arn]) && startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-")
    error_message = "WAF writes to groups of this prefix only."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name                      = "prod shop"
    requests_per_five_minutes = 10
  }

  expect_failures = [var.name, var.requests_per_five_minutes]
}
