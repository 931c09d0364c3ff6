mock_provider "aws" {
  override_during = plan

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_cloudfront_distribution" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:distribution/E1", domain_name = "d1.cloudfront.net" }
  }

  mock_resource "aws_cloudfront_function" {
    defaults = { arn = "arn:aws:cloudfront::123456789012:function/dev-shop" }
  }

  mock_resource "aws_cloudfront_origin_access_control" {
    defaults = { id = "oac1" }
  }

  mock_resource "aws_cloudfront_response_headers_policy" {
    defaults = { id = "headers1" }
  }
}

variables {
  name   = "dev-shop"
  bucket = "dev-shop-site-123456789012"
  api    = { domain = "abc.execute-api.eu-central-1.amazonaws.com" }
}

run "the_bucket_is_read_through_the_distribution_only" {
  command = plan

  assert {
    condition     = [for it in aws_cloudfront_distribution.this.origin : it.origin_access_control_id if it.origin_id == "pages"] == ["oac1"]
    error_message = "The distribution must sign its requests to the bucket."
  }

  assert {
    condition     = aws_cloudfront_origin_access_control.this.signing_behavior == "always"
    error_message = "Every request must be signed, whatever the visitor sends."
  }
}

run "requests_to_the_api_are_never_cached_and_pass_the_edge_function" {
  command = plan

  assert {
    condition = [
      for it in aws_cloudfront_distribution.this.ordered_cache_behavior : it.path_pattern
      if it.target_origin_id == "api" && it.cache_policy_id == local.caching_disabled && it.origin_request_policy_id == local.all_viewer_except_host && [for f in it.function_association : f.event_type] == ["viewer-request"]
    ] == ["/api/*", "/auth/*", "/webhooks/*"]
    error_message = "The API must be asked for every request, with what the edge function made of it."
  }
}

run "pages_pass_the_edge_function_and_hashed_files_do_not" {
  command = plan

  assert {
    condition     = toset([for it in one(aws_cloudfront_distribution.this.default_cache_behavior).function_association : it.event_type]) == toset(["viewer-request", "viewer-response"])
    error_message = "Pages need the function for their paths and for the variant cookie."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this.ordered_cache_behavior[0].function_association) == 0 && aws_cloudfront_distribution.this.ordered_cache_behavior[0].path_pattern == "/assets/*"
    error_message = "Hashed files need no function."
  }
}

run "missing_pages_and_orders_stay_missing" {
  command = plan

  assert {
    condition     = length(aws_cloudfront_distribution.this.custom_error_response) == 0
    error_message = "A custom error page would replace the API's own answers."
  }
}

run "every_answer_has_a_strict_content_security_policy" {
  command = plan

  assert {
    condition     = startswith(one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).content_security_policy, "default-src 'none'; script-src 'self'; style-src 'self';") && one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).override
    error_message = "Only scripts and styles of this origin may run."
  }

  assert {
    condition = alltrue([
      for it in concat(aws_cloudfront_distribution.this.default_cache_behavior, aws_cloudfront_distribution.this.ordered_cache_behavior) :
      it.response_headers_policy_id == "headers1" && it.viewer_protocol_policy == "redirect-to-https"
    ])
    error_message = "Every path must have the security headers, and TLS."
  }
}

run "pages_send_requests_to_their_own_origin_alone" {
  command = plan

  assert {
    condition     = strcontains(one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).content_security_policy, "; connect-src 'self'; ")
    error_message = "Without uploads no other address may be asked."
  }
}

run "pages_send_files_to_the_bucket_of_uploads" {
  command = plan

  variables {
    upload_addresses = ["https://dev-shop-raw-uploads.s3.eu-central-1.amazonaws.com"]
  }

  assert {
    condition     = strcontains(one(one(aws_cloudfront_response_headers_policy.this.security_headers_config).content_security_policy).content_security_policy, "; connect-src 'self' https://dev-shop-raw-uploads.s3.eu-central-1.amazonaws.com; ")
    error_message = "Exactly the bucket's origin must be added."
  }
}

run "an_address_with_a_wildcard_is_refused" {
  command = plan

  variables {
    upload_addresses = ["https://*.amazonaws.com"]
  }

  expect_failures = [var.upload_addresses]
}

run "the_edge_function_is_published" {
  command = plan

  assert {
    condition     = aws_cloudfront_function.edge.publish && aws_cloudfront_function.edge.runtime == "cloudfront-js-2.0"
    error_message = "Only a published function runs."
  }
}

run "its_address_is_cloudfronts_or_ones_own" {
  command = plan

  assert {
    condition     = output.url == "https://d1.cloudfront.net" && one(aws_cloudfront_distribution.this.viewer_certificate).cloudfront_default_certificate
    error_message = "Without a domain, CloudFront's own serves."
  }
}

run "ones_own_domain_requires_tls_1_2" {
  command = plan

  variables {
    domain = { name = "console.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  assert {
    condition     = output.url == "https://console.example.com" && aws_cloudfront_distribution.this.aliases == toset(["console.example.com"]) && one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
    error_message = "The domain must be an alias, with its certificate."
  }
}

run "an_emulator_is_reached_without_tls" {
  command = plan

  variables {
    api      = { domain = "127.0.0.1", path = "/_aws/execute-api/abc/$default", http_port = 4566 }
    tls_only = false
  }

  assert {
    condition     = one([for it in aws_cloudfront_distribution.this.origin : one(it.custom_origin_config) if it.origin_id == "api"]).origin_protocol_policy == "http-only" && one(aws_cloudfront_distribution.this.default_cache_behavior).viewer_protocol_policy == "allow-all"
    error_message = "The emulator has no TLS."
  }
}

run "a_socket_is_at_the_path_of_its_stage" {
  command = plan

  variables {
    socket = { domain = "ws.execute-api.eu-central-1.amazonaws.com" }
  }

  assert {
    condition     = [for it in aws_cloudfront_distribution.this.ordered_cache_behavior : it.cache_policy_id if it.path_pattern == "/live" && it.target_origin_id == "socket"] == [local.caching_disabled]
    error_message = "Connections must reach the WebSocket API, uncached."
  }

  assert {
    condition     = [for it in aws_cloudfront_distribution.this.origin : it.domain_name if it.origin_id == "socket" && try(length(it.origin_path), 0) == 0] == ["ws.execute-api.eu-central-1.amazonaws.com"]
    error_message = "The path /live is the stage: nothing may come before it."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name        = "dev shop"
    api         = { domain = "https://abc.example.com/" }
    domain      = { name = "console.example.com", certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1" }
    price_class = "Cheap"
  }

  expect_failures = [var.name, var.api, var.domain, var.price_class]
}

run "a_firewall_stands_before_everything" {
  command = plan

  variables {
    firewall_arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/dev-shop/1"
  }

  assert {
    condition     = aws_cloudfront_distribution.this.web_acl_id == "arn:aws:wafv2:us-east-1:123456789012:global/webacl/dev-shop/1"
    error_message = "The distribution must use the firewall."
  }
}
