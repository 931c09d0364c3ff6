output "id" {
  description = "The pool."
  value       = aws_cognito_user_pool.this.id
}

output "client_id" {
  description = "What tokens are made out to."
  value       = aws_cognito_user_pool_client.this.id
}

output "issuer" {
  description = "Who signs the tokens."
  value       = "https://cognito-idp.${data.aws_region.this.name}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}
