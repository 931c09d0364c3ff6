output "id" {
  description = "The API."
  value       = aws_apigatewayv2_api.this.id
}

output "domain" {
  description = "Domain of the API, known before its routes are."
  value       = trimprefix(aws_apigatewayv2_api.this.api_endpoint, "https://")
}

output "url" {
  description = "URL of the API."
  value       = aws_apigatewayv2_api.this.api_endpoint

  # The URL is known only once the API can be called.
  depends_on = [aws_apigatewayv2_route.this, aws_apigatewayv2_stage.this, aws_lambda_permission.this]
}
