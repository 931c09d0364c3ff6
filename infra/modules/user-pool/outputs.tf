output "id" {
  description = "Id of the user pool."
  value       = aws_cognito_user_pool.this.id
}

output "client_id" {
  description = "Client id of the command line."
  value       = aws_cognito_user_pool_client.this.id
}

output "client_ids" {
  description = "Ids of all clients, the audiences of the tokens."
  value       = [aws_cognito_user_pool_client.this.id, aws_cognito_user_pool_client.session.id]
}

output "session" {
  description = "The OAuth client that signs people in: its id, the parameter with its secret, the pages to sign in on, and where other identity providers send browsers back."
  value = {
    client_id            = aws_cognito_user_pool_client.session.id
    secret_parameter     = aws_ssm_parameter.client_secret.name
    secret_parameter_arn = aws_ssm_parameter.client_secret.arn
    sign_in_url          = "https://${aws_cognito_user_pool_domain.this.domain}.auth.${data.aws_region.this.name}.amazoncognito.com"
    idp_callback_url     = "https://${local.domain}.auth.${data.aws_region.this.name}.amazoncognito.com/oauth2/idpresponse"
    identity_providers   = [for it in aws_cognito_identity_provider.this : it.provider_name]
  }
}

output "issuer" {
  description = "Issuer of the tokens."
  value       = "https://cognito-idp.${data.aws_region.this.name}.amazonaws.com/${aws_cognito_user_pool.this.id}"
}
