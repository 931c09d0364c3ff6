# Names of one's own for the console and the API: certificates, which the zone proves and renews by itself, and records.
data "aws_route53_zone" "this" {
  name = var.zone
}

locals {
  # The zone of all distributions of CloudFront.
  cloudfront_zone_id = "Z2FDTNDATAQYW2"
}

resource "aws_acm_certificate" "console" {
  provider = aws.us_east_1

  domain_name       = var.console
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "api" {
  domain_name       = var.api
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "proof" {
  for_each = {
    (var.console) = one(aws_acm_certificate.console.domain_validation_options)
    (var.api)     = one(aws_acm_certificate.api.domain_validation_options)
  }

  zone_id         = data.aws_route53_zone.this.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  ttl             = 300
  records         = [each.value.resource_record_value]
  allow_overwrite = true # another environment may have proven the same name before
}

# Waits until the certificate is issued.
resource "aws_acm_certificate_validation" "console" {
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.console.arn
  validation_record_fqdns = [aws_route53_record.proof[var.console].fqdn]
}

resource "aws_acm_certificate_validation" "api" {
  certificate_arn         = aws_acm_certificate.api.arn
  validation_record_fqdns = [aws_route53_record.proof[var.api].fqdn]
}

# CloudFront answers on both versions of IP.
resource "aws_route53_record" "console" {
  for_each = toset(["A", "AAAA"])

  zone_id = data.aws_route53_zone.this.zone_id
  name    = var.console
  type    = each.value

  alias {
    name                   = var.distribution_domain
    zone_id                = local.cloudfront_zone_id
    evaluate_target_health = false
  }
}

resource "aws_apigatewayv2_domain_name" "api" {
  domain_name = var.api

  domain_name_configuration {
    certificate_arn = aws_acm_certificate_validation.api.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "api" {
  api_id      = var.api_id
  domain_name = aws_apigatewayv2_domain_name.api.id
  stage       = "$default"
}

resource "aws_route53_record" "api" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = var.api
  type    = "A"

  alias {
    name                   = one(aws_apigatewayv2_domain_name.api.domain_name_configuration).target_domain_name
    zone_id                = one(aws_apigatewayv2_domain_name.api.domain_name_configuration).hosted_zone_id
    evaluate_target_health = false
  }
}
