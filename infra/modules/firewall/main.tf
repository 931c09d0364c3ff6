# A web application firewall for CloudFront. AWS keeps those of CloudFront in us-east-1.
locals {
  # Managed rules, by priority. Counted rules are those that would refuse our own requests.
  managed = {
    AWSManagedRulesAmazonIpReputationList = { priority = 1, counted = [] }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 2, counted = [] }
    AWSManagedRulesCommonRuleSet = {
      priority = 3
      counted = [
        "NoUserAgent_HEADER",    # machines need not name themselves
        "SizeRestrictions_BODY", # an order of 90 products has more than 8 KB; the gateway refuses 10 MB
        "GenericRFI_BODY",       # addresses of webhooks are URLs in a body
        "EC2MetaDataSSRF_BODY",  # the same; `services/webhooks` refuses addresses inside a network itself
      ]
    }
  }

  # Tokens and sessions are not logged.
  redacted = ["authorization", "cookie"]
}

resource "aws_wafv2_web_acl" "this" {
  # checkov:skip=CKV_AWS_192:The managed rules of known bad inputs refuse it; checkov does not see rules of a dynamic block.
  name        = var.name
  description = "Requests to the console and the API of ${var.name}, at CloudFront."
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_five_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-rate"
      sampled_requests_enabled   = false
    }
  }

  dynamic "rule" {
    for_each = local.managed

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = false # samples would hold the tokens of requests
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = false
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "aws-waf-logs-${var.name}" # WAF writes to groups of this prefix only
  retention_in_days = var.log_days
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  # What is allowed is in the API's own log, without addresses of visitors.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }

  dynamic "redacted_fields" {
    for_each = local.redacted

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }
}
