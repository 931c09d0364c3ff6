mock_provider "aws" {
  override_during = plan

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "eu-central-1_abc", arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc" }
  }
}

variables {
  name   = "dev-shop"
  claims = { name = "dev-shop-claims", alias = "live", arn = "arn:aws:lambda:eu-central-1:123456789012:function:dev-shop-claims:live" }
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
  }

  expect_failures = [var.name, var.claims, var.token_minutes]
}
