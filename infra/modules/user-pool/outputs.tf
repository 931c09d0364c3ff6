output "id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "client_id" {
  description = "Client id, the audience of the tokens."
  value       = aws_cognito_user_pool_client.this.id
}

output "issuer" {
  description = "Issuer of the tokens."
  value       = "https://cognito-idp.${data.aws_region.this.name}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}
