mock_provider "aws" {
  override_during = plan

  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }

  mock_resource "aws_cognito_user_pool" {
    defaults = { id = "eu-central-1_abc" }
  }
}

variables {
  name = "dev-shop"
}

run "has_a_group_for_each_role" {
  command = plan

  assert {
    condition     = toset(keys(aws_cognito_user_group.this)) == toset(["admin", "editor", "viewer"])
    error_message = "The groups must be admin, editor and viewer."
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
    groups        = {}
    token_minutes = 1
  }

  expect_failures = [var.name, var.groups, var.token_minutes]
}
