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
    error_message = "admin, editor and viewer."
  }
}

run "nobody_signs_up_by_himself_or_chooses_his_tenant" {
  command = plan

  assert {
    condition     = one(aws_cognito_user_pool.this.admin_create_user_config).allow_admin_create_user_only
    error_message = "Administrators make users."
  }

  assert {
    condition     = aws_cognito_user_pool_client.this.write_attributes == toset(["name"])
    error_message = "A user writes his name alone."
  }
}

run "says_who_signs_its_tokens" {
  command = plan

  assert {
    condition     = output.issuer == "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"
    error_message = "The issuer is spelled as Cognito does."
  }
}

run "refuses_deletion_unless_told" {
  command = plan

  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "A pool is protected."
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
