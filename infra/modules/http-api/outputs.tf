output "id" {
  description = "The API."
  value       = aws_apigatewayv2_api.this.id
}

output "url" {
  description = "Where it answers."
  value       = aws_apigatewayv2_api.this.api_endpoint

  # Whoever reads it can ask at once.
  depends_on = [aws_apigatewayv2_route.this, aws_apigatewayv2_stage.this, aws_lambda_permission.this]
}
