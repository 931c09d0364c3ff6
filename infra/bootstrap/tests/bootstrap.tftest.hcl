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

run "the_backend_block_names_the_state_and_locks_it" {
  assert {
    condition     = strcontains(output.backend, "use_lockfile = true") && strcontains(output.backend, "encrypt      = true") && strcontains(output.backend, aws_kms_key.state.arn) && strcontains(output.backend, "region       = \"us-east-1\"")
    error_message = "The backend block is incomplete."
  }
}

run "the_state_bucket_is_named_after_account_and_region" {
  assert {
    condition     = local.state_bucket == "pulsequeue-terraform-state-123456789012-us-east-1"
    error_message = "The bucket's name may be taken already."
  }
}

run "only_jobs_of_an_environment_deploy_it" {
  assert {
    condition = {
      for env, role in aws_iam_role.deploy : env => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"]
      } == {
      dev     = ["repo:acme/pulsequeue:environment:dev"]
      preview = ["repo:acme/pulsequeue:environment:preview"]
      prod    = ["repo:acme/pulsequeue:environment:prod"]
    }
    error_message = "Another job may deploy."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.deploy : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"])
    error_message = "Tokens for other audiences are accepted."
  }
}

run "a_repository_with_ids_in_its_subject_is_trusted_in_both_forms" {
  variables {
    repository_ids = { owner = 123456, repository = 456789 }
  }

  assert {
    condition     = jsondecode(aws_iam_role.deploy["dev"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:acme/pulsequeue:environment:dev", "repo:acme@123456/pulsequeue@456789:environment:dev"]
    error_message = "A repository created since July 2026 cannot deploy."
  }

  assert {
    condition     = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:acme/pulsequeue:pull_request", "repo:acme@123456/pulsequeue@456789:pull_request"]
    error_message = "A repository created since July 2026 cannot plan."
  }
}

run "a_deployment_manages_roles_of_its_own_environment_only" {
  assert {
    condition = {
      for env, role in aws_iam_role_policy.deploy : env => one([for it in jsondecode(role.policy).Statement : it.Resource if it.Sid == "Roles"])
      } == {
      dev     = "arn:aws:iam::123456789012:role/dev-pulsequeue-*"
      preview = "arn:aws:iam::123456789012:role/preview-*-pulsequeue-*"
      prod    = "arn:aws:iam::123456789012:role/prod-pulsequeue-*"
    }
    error_message = "A deployment may change roles of others."
  }

  assert {
    condition     = [for it in jsondecode(aws_iam_role_policy.deploy["prod"].policy).Statement : it.Resource if it.Sid == "DenyPrivilegeEscalation" && it.Effect == "Deny"] == [["arn:aws:iam::123456789012:role/pulsequeue-*"]]
    error_message = "A deployment may extend its own permissions."
  }
}

run "a_deployment_touches_nothing_of_another_environment" {
  assert {
    condition = alltrue([
      for thing in ["dynamodb:*:123456789012:table/prod-pulsequeue-*", "lambda:*:123456789012:function:prod-pulsequeue-*", "s3:::pulsequeue-terraform-state-123456789012-us-east-1/prod/*", "ssm:*:123456789012:parameter/prod-pulsequeue/*", "dynamodb:*:123456789012:table/dev-pulsequeue-*"] :
      contains(one([for it in jsondecode(aws_iam_role_policy.deploy["preview"].policy).Statement : it.Resource if it.Sid == "DenyOtherEnvironments" && it.Effect == "Deny" && it.Action == "*"]), "arn:aws:${thing}")
    ])
    error_message = "A preview's job may access prod or dev."
  }

  assert {
    condition     = !anytrue([for thing in flatten([for it in jsondecode(aws_iam_role_policy.deploy["dev"].policy).Statement : it.Resource if it.Sid == "DenyOtherEnvironments"]) : strcontains(thing, "dev-pulsequeue") || strcontains(thing, "/dev/")])
    error_message = "dev is denied access to itself."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role_policy.deploy : contains([for it in jsondecode(role.policy).Statement : it.Resource if it.Effect == "Deny" && it.Action == "secretsmanager:GetSecretValue"], "arn:aws:secretsmanager:*:123456789012:secret:rds!*")])
    error_message = "A job may read the password of a database's administrator."
  }

  assert {
    # IAM takes 10,240 characters.
    condition     = alltrue([for role in aws_iam_role_policy.deploy : length(role.policy) < 10240])
    error_message = "The policy exceeds IAM's size limit."
  }
}

run "a_single_environment_has_no_deny_statement_for_others" {
  variables {
    environments = ["dev"]
  }

  assert {
    condition     = !contains([for it in jsondecode(aws_iam_role_policy.deploy["dev"].policy).Statement : it.Sid], "DenyOtherEnvironments")
    error_message = "IAM rejects a statement without resources."
  }
}

run "a_pull_request_may_read_but_no_secrets" {
  assert {
    condition     = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:acme/pulsequeue:pull_request"] && aws_iam_role_policy_attachment.plan.policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    error_message = "A pull request may do more than read."
  }

  assert {
    condition     = anytrue([for it in jsondecode(aws_iam_role_policy.plan.policy).Statement : it.Effect == "Deny" && contains(flatten([it.Action]), "secretsmanager:GetSecretValue")])
    error_message = "A pull request can read secrets."
  }
}

run "a_pull_request_may_generate_a_secret_for_its_plan" {
  assert {
    condition     = anytrue([for it in jsondecode(aws_iam_role_policy.plan.policy).Statement : it.Effect == "Allow" && contains(flatten([it.Action]), "secretsmanager:GetRandomPassword")])
    error_message = "A plan evaluates ephemeral values and would be denied."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    region       = "Virginia"
    repository   = "acme/*"
    environments = ["Prod"]

    repository_ids = { owner = 0, repository = 1.5 }
  }

  expect_failures = [var.region, var.repository, var.repository_ids, var.environments]
}
