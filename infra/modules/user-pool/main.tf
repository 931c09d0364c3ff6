data "aws_region" "this" {}

resource "aws_cognito_user_pool" "this" {
  name                = var.name
  deletion_protection = var.protected ? "ACTIVE" : "INACTIVE"
  mfa_configuration   = "OPTIONAL"

  software_token_mfa_configuration {
    enabled = true
  }

  admin_create_user_config {
    allow_admin_create_user_only = true
  }

  # Accounts cannot be recovered with access to a mailbox only.
  account_recovery_setting {
    recovery_mechanism {
      name     = "admin_only"
      priority = 1
    }
  }

  password_policy {
    minimum_length                   = 12
    require_lowercase                = true
    require_numbers                  = true
    require_symbols                  = true
    require_uppercase                = true
    temporary_password_validity_days = 3
  }

  # Tenant and role are claims that this function sets. They are no attributes: nobody could write them.
  lambda_config {
    pre_token_generation_config {
      lambda_arn     = var.claims.arn
      lambda_version = "V2_0"
    }
  }
}

resource "aws_lambda_permission" "claims" {
  statement_id  = "user-pool"
  action        = "lambda:InvokeFunction"
  function_name = var.claims.name
  qualifier     = var.claims.alias
  principal     = "cognito-idp.amazonaws.com"
  source_arn    = aws_cognito_user_pool.this.arn
}

resource "aws_cognito_user_pool_client" "this" {
  name                          = "console"
  user_pool_id                  = aws_cognito_user_pool.this.id
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  read_attributes  = ["email", "name"]
  write_attributes = ["name"]

  access_token_validity = var.token_minutes
  id_token_validity     = var.token_minutes

  token_validity_units {
    access_token = "minutes"
    id_token     = "minutes"
  }
}
