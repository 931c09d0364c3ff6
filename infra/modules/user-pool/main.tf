data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  domain = "${var.name}-${data.aws_caller_identity.this.account_id}"
}

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

# People sign in on these pages, with a password or at another identity provider.
resource "aws_cognito_user_pool_domain" "this" {
  domain       = local.domain
  user_pool_id = aws_cognito_user_pool.this.id
}

resource "aws_cognito_identity_provider" "this" {
  for_each = nonsensitive(toset(keys(var.identity_providers)))

  user_pool_id  = aws_cognito_user_pool.this.id
  provider_name = each.key
  provider_type = var.identity_providers[each.key].type

  provider_details = merge(
    {
      client_id        = var.identity_providers[each.key].client_id
      client_secret    = var.identity_providers[each.key].client_secret
      authorize_scopes = "openid email profile"
    },
    var.identity_providers[each.key].type == "OIDC" ? merge(
      {
        attributes_request_method = "GET"
        oidc_issuer               = var.identity_providers[each.key].issuer
      },
      var.identity_providers[each.key].endpoints,
    ) : {},
  )

  # The address counts for invitations only if the provider has verified it.
  attribute_mapping = { email = "email", email_verified = "email_verified", name = "name", username = "sub" }

  lifecycle {
    # AWS adds what it discovers.
    ignore_changes = [provider_details["attributes_url_add_attributes"]]
  }
}

# The console's server side. Its secret never leaves the function `session`, nor do access tokens.
resource "aws_cognito_user_pool_client" "session" {
  name                                 = "session"
  user_pool_id                         = aws_cognito_user_pool.this.id
  generate_secret                      = true
  explicit_auth_flows                  = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"] # machines, by their secret
  allowed_oauth_flows_user_pool_client = true
  allowed_oauth_flows                  = ["code"]
  allowed_oauth_scopes                 = ["email", "openid", "profile"]
  callback_urls                        = ["${var.console_url}/auth/callback"]
  logout_urls                          = ["${var.console_url}/"]
  supported_identity_providers         = concat(["COGNITO"], [for it in aws_cognito_identity_provider.this : it.provider_name])
  prevent_user_existence_errors        = "ENABLED"
  enable_token_revocation              = true

  # Identity providers fill in the address. A user cannot: that takes an access token.
  read_attributes  = ["email", "email_verified", "name"]
  write_attributes = ["email", "name"]

  access_token_validity  = var.token_minutes
  id_token_validity      = var.token_minutes
  refresh_token_validity = 7

  token_validity_units {
    access_token  = "minutes"
    id_token      = "minutes"
    refresh_token = "days"
  }
}

resource "aws_ssm_parameter" "client_secret" {
  # checkov:skip=CKV_AWS_337:The AWS managed key for parameters is free and roles restrict reading; a key of our own costs $1 a month.
  name        = "/${var.name}/oauth-client-secret"
  description = "Secret of the OAuth client of ${var.name}."
  type        = "SecureString"
  value       = aws_cognito_user_pool_client.session.client_secret

  lifecycle {
    ignore_changes       = [value] # `pulsequeue secrets rotate`
    replace_triggered_by = [aws_cognito_user_pool_client.session.id]
  }
}

# The command line, and programs of users with a password.
resource "aws_cognito_user_pool_client" "this" {
  name                          = "command-line"
  user_pool_id                  = aws_cognito_user_pool.this.id
  explicit_auth_flows           = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  enable_token_revocation       = true

  read_attributes  = ["email", "email_verified", "name"]
  write_attributes = ["name"]

  access_token_validity = var.token_minutes
  id_token_validity     = var.token_minutes

  token_validity_units {
    access_token = "minutes"
    id_token     = "minutes"
  }
}
