# One origin for browsers: the pages from a private bucket, the API beside them. scripts/local/aws/site.py is the same
# for the local stack.

locals {
  # Policies that AWS manages. The API's own: everything is forwarded, nothing is kept.
  caching_optimized      = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  caching_disabled       = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
  all_viewer_except_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"

  # Wildcards: every path below these is the API's.
  api_paths = ["/api/*", "/auth/*", "/webhooks/*"]
  viewers   = var.tls_only ? "redirect-to-https" : "allow-all"

  content_security_policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src ${join(" ", concat(["'self'"], var.upload_addresses))}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

module "bucket" {
  source = "../bucket"

  name             = var.bucket
  protected        = var.protected
  noncurrent_days  = 30
  distribution_arn = aws_cloudfront_distribution.this.arn
  tls_only         = var.tls_only
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = var.name
  description                       = "Signs the requests of ${var.name} to its bucket."
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_function" "edge" {
  name    = var.name
  comment = var.name
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/edge.js")
}

resource "aws_cloudfront_response_headers_policy" "this" {
  # checkov:skip=CKV_AWS_259:Whether a domain joins the browsers' preload list is its owner's decision, and hard to take back.
  name = var.name

  security_headers_config {
    content_security_policy {
      content_security_policy = local.content_security_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "same-origin"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000 # two years
      include_subdomains         = true
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "cross-origin-opener-policy"
      value    = "same-origin"
      override = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV2_AWS_47:No Java runs behind it; a firewall only against Log4j would cost $5 a month and more.
  # checkov:skip=CKV_AWS_86:The API logs its requests without tokens; logs of CloudFront would hold the addresses of visitors.
  # checkov:skip=CKV_AWS_310:There is one API and one bucket, in one region: no other origin could answer.
  # checkov:skip=CKV_AWS_374:Customers may be anywhere; who may see data is decided by sign-in, not by country.
  # checkov:skip=CKV_AWS_34:An emulator has no TLS; on AWS every behavior redirects to https (`tls_only`).
  comment             = var.name
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = var.price_class
  default_root_object = "index.html"
  aliases             = var.domain[*].name
  web_acl_id          = var.firewall_arn

  origin {
    origin_id                = "pages"
    domain_name              = module.bucket.domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  origin {
    origin_id   = "api"
    domain_name = var.api.domain
    origin_path = var.api.path

    custom_origin_config {
      http_port              = var.api.http_port
      https_port             = 443
      origin_protocol_policy = var.tls_only ? "https-only" : "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  dynamic "origin" {
    for_each = var.socket[*]

    content {
      origin_id   = "socket"
      domain_name = origin.value.domain

      custom_origin_config {
        http_port              = 80
        https_port             = 443
        origin_protocol_policy = "https-only"
        origin_ssl_protocols   = ["TLSv1.2"]
      }
    }
  }

  # Pages. The build says how long each file may be kept; text is compressed.
  default_cache_behavior {
    target_origin_id           = "pages"
    viewer_protocol_policy     = local.viewers
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.edge.arn
    }

    function_association {
      event_type   = "viewer-response"
      function_arn = aws_cloudfront_function.edge.arn
    }
  }

  # Files with a hash in their name need no function.
  ordered_cache_behavior {
    path_pattern               = "/assets/*" # every file below
    target_origin_id           = "pages"
    viewer_protocol_policy     = local.viewers
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.api_paths

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "api"
      viewer_protocol_policy     = local.viewers
      allowed_methods            = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = local.caching_disabled
      origin_request_policy_id   = local.all_viewer_except_host
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id

      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.edge.arn
      }
    }
  }

  # The path is the stage of the WebSocket API. A connection is opened by a GET.
  dynamic "ordered_cache_behavior" {
    for_each = var.socket[*]

    content {
      path_pattern             = "/live"
      target_origin_id         = "socket"
      viewer_protocol_policy   = local.viewers
      allowed_methods          = ["GET", "HEAD"]
      cached_methods           = ["GET", "HEAD"]
      cache_policy_id          = local.caching_disabled
      origin_request_policy_id = local.all_viewer_except_host

      function_association {
        event_type   = "viewer-request"
        function_arn = aws_cloudfront_function.edge.arn
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = try(var.domain.certificate_arn, null)
    ssl_support_method             = var.domain == null ? null : "sni-only"
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
  }
}
