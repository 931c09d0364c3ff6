output "id" {
  description = "The API."
  value       = aws_apigatewayv2_api.this.id
}

output "domain" {
  description = "Domain of the API; the path of its stage is /live."
  value       = trimprefix(aws_apigatewayv2_api.this.api_endpoint, "wss://")
}

output "connections_arn" {
  description = "ARN of all connections, for the permission execute-api:ManageConnections."
  # Wildcard: connections have no names before they are opened.
  value = "${aws_apigatewayv2_api.this.execution_arn}/live/*/@connections/*"
}
