mock_provider "aws" {
  override_during = plan

  mock_data "aws_route53_zone" {
    defaults = { zone_id = "Z1" }
  }

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:eu-central-1:123456789012:certificate/api"
      domain_validation_options = [{ domain_name = "api.example.com", resource_record_name = "_a.api.example.com", resource_record_type = "CNAME", resource_record_value = "_b.acm-validations.aws" }]
    }
  }

  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/api" }
  }

  mock_resource "aws_apigatewayv2_domain_name" {
    defaults = { id = "api.example.com" }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan

  mock_resource "aws_acm_certificate" {
    defaults = {
      arn                       = "arn:aws:acm:us-east-1:123456789012:certificate/console"
      domain_validation_options = [{ domain_name = "console.example.com", resource_record_name = "_a.console.example.com", resource_record_type = "CNAME", resource_record_value = "_c.acm-validations.aws" }]
    }
  }

  mock_resource "aws_acm_certificate_validation" {
    defaults = { certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/console" }
  }
}

variables {
  zone                = "example.com"
  console             = "console.example.com"
  api                 = "api.example.com"
  distribution_domain = "d1.cloudfront.net"
  api_id              = "abc"
}

run "the_consoles_certificate_is_in_the_region_of_cloudfront" {
  command = plan

  assert {
    condition     = output.console_domain == { name = "console.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/console" }
    error_message = "CloudFront takes certificates of us-east-1 only."
  }

  assert {
    condition     = one(aws_apigatewayv2_domain_name.api.domain_name_configuration).certificate_arn == "arn:aws:acm:eu-central-1:123456789012:certificate/api"
    error_message = "The API takes certificates of its own region only."
  }
}

run "certificates_are_proven_by_the_zone" {
  command = plan

  assert {
    condition     = { for name, it in aws_route53_record.proof : name => "${it.zone_id} ${it.name}" } == { "console.example.com" = "Z1 _a.console.example.com", "api.example.com" = "Z1 _a.api.example.com" }
    error_message = "Each certificate must be proven by a record, so that it is renewed."
  }

  assert {
    condition     = aws_acm_certificate.console.validation_method == "DNS" && aws_acm_certificate.api.validation_method == "DNS" && aws_acm_certificate_validation.console.certificate_arn == aws_acm_certificate.console.arn && aws_acm_certificate_validation.api.certificate_arn == aws_acm_certificate.api.arn
    error_message = "A name may be used only once its certificate is issued."
  }
}

run "both_names_lead_to_what_serves_them" {
  command = plan

  assert {
    condition     = { for type, it in aws_route53_record.console : type => "${it.name} ${one(it.alias).name} ${one(it.alias).zone_id}" } == { A = "console.example.com d1.cloudfront.net Z2FDTNDATAQYW2", AAAA = "console.example.com d1.cloudfront.net Z2FDTNDATAQYW2" }
    error_message = "The console's name must lead to CloudFront, by both versions of IP."
  }

  assert {
    condition     = aws_route53_record.api.name == "api.example.com" && aws_apigatewayv2_api_mapping.api.api_id == "abc" && aws_apigatewayv2_api_mapping.api.stage == "$default" && one(aws_apigatewayv2_domain_name.api.domain_name_configuration).security_policy == "TLS_1_2" && output.api_url == "https://api.example.com"
    error_message = "The API's name must lead to its stage, with TLS 1.2."
  }
}

run "refuses_names_of_another_zone" {
  command = plan

  variables {
    zone    = "example.com"
    console = "console.example.org"
  }

  expect_failures = [var.console]
}

run "refuses_an_api_outside_the_zone" {
  command = plan

  variables {
    api = "apiexample.com"
  }

  expect_failures = [var.api]
}

run "refuses_what_is_no_zone" {
  command = plan

  variables {
    zone    = "https://example.com"
    console = "https://example.com"
    api     = "api.https://example.com"
  }

  expect_failures = [var.zone]
}
