output "console_domain" {
  description = "Name of the console and its issued certificate, as module `site` takes them."
  value       = { name = var.console, certificate_arn = aws_acm_certificate_validation.console.certificate_arn }
}

output "api_url" {
  description = "URL of the API by its own name."
  value       = "https://${var.api}"

  # It answers only then.
  depends_on = [aws_apigatewayv2_api_mapping.api, aws_route53_record.api]
}
