mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "eu-central-1_abc", arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc" }
  }
}

variables {
  name        = "dev-shop"
  console_url = "https://console.example.com"
  claims      = { name = "dev-shop-claims", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-claims:live" }
}

run "tokens_get_their_claims_from_the_function" {
  command = plan

  assert {
    condition     = one(one(aws_cognito_user_pool.this.lambda_config).pre_token_generation_config).lambda_arn == "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-claims:live"
    error_message = "The pool must ask the function for claims."
  }

  assert {
    condition     = aws_lambda_permission.claims.source_arn == "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc" && aws_lambda_permission.claims.qualifier == "live"
    error_message = "This pool, and no other, may invoke the function."
  }
}

run "tokens_live_five_minutes" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.this.id_token_validity == 5
    error_message = "A token must end five minutes after a member was removed."
  }
}

run "users_cannot_sign_up_or_change_their_tenant" {
  command = plan

  assert {
    condition     = one(aws_cognito_user_pool.this.admin_create_user_config).allow_admin_create_user_only
    error_message = "Only administrators may create users."
  }

  assert {
    condition     = aws_cognito_user_pool_client.this.write_attributes == toset(["name"])
    error_message = "Users may only write their name."
  }
}

run "people_sign_in_by_code_with_a_confidential_client" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool_client.session.generate_secret && aws_cognito_user_pool_client.session.allowed_oauth_flows == toset(["code"])
    error_message = "Only the code flow of a client with a secret may be allowed."
  }

  assert {
    condition     = one(aws_cognito_user_pool_client.session.callback_urls) == "https://console.example.com/auth/callback"
    error_message = "People must come back to the console only."
  }

  assert {
    condition     = !contains(aws_cognito_user_pool_client.session.allowed_oauth_scopes, "aws.cognito.signin.user.admin")
    error_message = "No access token may change its user."
  }

  assert {
    condition     = aws_cognito_user_pool_client.session.id_token_validity == 5
    error_message = "A token must end five minutes after a member was removed."
  }

  assert {
    condition     = aws_ssm_parameter.client_secret.type == "SecureString" && aws_ssm_parameter.client_secret.name == "/dev-shop/oauth-client-secret"
    error_message = "The secret must be kept as a secret."
  }

  assert {
    condition     = output.session.sign_in_url == "https://dev-shop-123456789012.auth.eu-central-1.amazoncognito.com"
    error_message = "The pages must be those of the pool's domain."
  }
}

run "other_identity_providers_are_added" {
  command = plan

  variables {
    identity_providers = {
      Google = { type = "Google", client_id = "google", client_secret = "secret" }
      GitHub = {
        client_id     = "github"
        client_secret = "secret"
        issuer        = "https://console.example.com/auth/github"
        endpoints     = { token_url = "https://console.example.com/auth/github/token" }
      }
    }
  }

  assert {
    condition     = toset(output.session.identity_providers) == toset(["GitHub", "Google"]) && toset(aws_cognito_user_pool_client.session.supported_identity_providers) == toset(["COGNITO", "GitHub", "Google"])
    error_message = "People must be able to sign in with each provider, and with the pool."
  }

  assert {
    condition     = nonsensitive(aws_cognito_identity_provider.this["GitHub"].provider_details["token_url"]) == "https://console.example.com/auth/github/token" && nonsensitive(!contains(keys(aws_cognito_identity_provider.this["Google"].provider_details), "oidc_issuer"))
    error_message = "Each type must get its own details."
  }
}

run "returns_the_issuer_of_its_tokens" {
  command = plan

  assert {
    condition     = output.issuer == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"
    error_message = "The issuer must have Cognito's format."
  }
}

run "is_protected_by_default" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "The pool must be protected."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name          = ""
    claims        = { name = "claims", alias = "live", arn = "claims" }
    token_minutes = 1
    console_url   = "http://console.example.com"
  }

  expect_failures = [var.name, var.claims, var.token_minutes, var.console_url]
}
