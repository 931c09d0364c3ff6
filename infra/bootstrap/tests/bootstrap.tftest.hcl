mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::state" }
  }
}

variables {
  repository = "acme/pulsequeue"
}

run "the_backend_block_says_where_the_state_is_and_locks_it" {
  assert {
    condition     = strcontains(output.backend, "use_lockfile = true") && strcontains(output.backend, "encrypt      = true") && strcontains(output.backend, aws_kms_key.state.arn) && strcontains(output.backend, "region       = \"us-east-1\"")
    error_message = "The backend block is incomplete."
  }
}

run "the_state_bucket_is_named_after_account_and_region" {
  assert {
    condition     = local.state_bucket == "pulsequeue-terraform-state-123456789012-us-east-1"
    error_message = "The bucket's name may be somebody else's already."
  }
}

run "an_environment_is_deployed_by_jobs_of_that_environment_alone" {
  assert {
    condition = {
      for env, role in aws_iam_role.deploy : env => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      } == {
      dev     = "repo:acme/pulsequeue:environment:dev"
      preview = "repo:acme/pulsequeue:environment:preview"
      prod    = "repo:acme/pulsequeue:environment:prod"
    }
    error_message = "Another job may deploy."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.deploy : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"])
    error_message = "Tokens meant for others are taken."
  }
}

run "a_deployment_makes_the_roles_of_its_own_environment_alone" {
  assert {
    condition     = jsondecode(aws_iam_role_policy.deploy["preview"].policy).Statement[0].Resource == "arn:aws:iam::123456789012:role/preview-*-pulsequeue-*"
    error_message = "Previews are named by their pull request."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.deploy["dev"].policy).Statement[0].Resource == "arn:aws:iam::123456789012:role/dev-pulsequeue-*"
    error_message = "A deployment may change roles of others."
  }

  assert {
    condition     = [for it in jsondecode(aws_iam_role_policy.deploy["prod"].policy).Statement : it.Resource if it.Effect == "Deny"] == [["arn:aws:iam::123456789012:role/pulsequeue-*"]]
    error_message = "A deployment may give itself more rights."
  }
}

run "a_pull_request_may_look_but_reads_no_secrets" {
  assert {
    condition     = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/pulsequeue:pull_request" && aws_iam_role_policy_attachment.plan.policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    error_message = "A pull request may do more than look."
  }

  assert {
    condition     = contains(jsondecode(aws_iam_role_policy.plan.policy).Statement[1].Action, "secretsmanager:GetSecretValue") && jsondecode(aws_iam_role_policy.plan.policy).Statement[1].Effect == "Deny"
    error_message = "A pull request can read secrets."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    region       = "Virginia"
    repository   = "acme/*"
    environments = ["Prod"]
  }

  expect_failures = [var.region, var.repository, var.environments]
}
