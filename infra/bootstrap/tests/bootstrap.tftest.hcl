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
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/pulsequeue-boundary" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::state" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/pulsequeue" }
  }
}

mock_provider "aws" {
  alias = "replica"

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/2" }
  }
}

variables {
  repository   = "acme/pulsequeue"
  environments = ["dev", "preview", "prod"]
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
    condition     = [for it in jsondecode(aws_iam_role_policy.deploy["prod"].policy).Statement : it.Resource if it.Sid == "DenyPrivilegeEscalation" && it.Effect == "Deny" && try(it.Action, null) == "iam:*"] == [["arn:aws:iam::123456789012:role/pulsequeue-*", "arn:aws:iam::123456789012:policy/pulsequeue-*"]]
    error_message = "A deployment may extend its own permissions."
  }
}

run "a_deployment_touches_nothing_of_another_environment" {
  assert {
    condition = alltrue([
      for thing in ["dynamodb:*:123456789012:table/prod-pulsequeue-*", "lambda:*:123456789012:function:prod-pulsequeue-*", "s3:::pulsequeue-terraform-state-123456789012-us-east-1/prod/*", "ssm:*:123456789012:parameter/prod-pulsequeue/*", "dynamodb:*:123456789012:table/dev-pulsequeue-*"] :
      contains(one([for it in jsondecode(aws_iam_role_policy.deploy["preview"].policy).Statement : it.Resource if it.Sid == "DenyOtherEnvironments" && it.Effect == "Deny" && try(it.Action, null) == "*"]), "arn:aws:${thing}")
    ])
    error_message = "A preview's job may access prod or dev."
  }

  assert {
    condition     = !anytrue([for thing in flatten([for it in jsondecode(aws_iam_role_policy.deploy["dev"].policy).Statement : it.Resource if it.Sid == "DenyOtherEnvironments"]) : strcontains(thing, "dev-pulsequeue") || strcontains(thing, "/dev/")])
    error_message = "dev is denied access to itself."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role_policy.deploy : contains([for it in jsondecode(role.policy).Statement : it.Resource if it.Sid == "DenyDatabaseSecrets" && it.Effect == "Deny"], "arn:aws:secretsmanager:*:123456789012:secret:rds!*")])
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

run "a_pull_request_reads_what_a_plan_needs_and_nothing_else" {
  assert {
    condition     = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:acme/pulsequeue:pull_request"]
    error_message = "Another job may plan."
  }

  assert {
    condition     = toset(flatten([for it in jsondecode(aws_iam_role_policy.plan.policy).Statement : it.Action])) == toset(["ec2:DescribeAvailabilityZones", "kms:Decrypt", "s3:GetObject", "s3:ListBucket", "secretsmanager:GetRandomPassword"])
    error_message = "A plan needs exactly these."
  }

  assert {
    condition     = one([for it in jsondecode(aws_iam_role_policy.plan.policy).Statement : it.Resource if try(it.Action, null) == "s3:GetObject"]) == "arn:aws:s3:::pulsequeue-terraform-state-123456789012-us-east-1/dev/*"
    error_message = "A pull request reads the state of dev only."
  }
}

run "boundaries_fit_into_iam" {
  assert {
    # IAM takes 6,144 characters of a managed policy.
    condition     = alltrue([for policy in aws_iam_policy.boundary : length(policy.policy) < 6144])
    error_message = "The boundary exceeds IAM's size limit."
  }
}

run "there_are_no_previews_by_default" {
  variables {
    environments = null
  }

  assert {
    condition     = keys(aws_iam_role.deploy) == ["dev", "prod"]
    error_message = "Previews give every pull request a role that deploys."
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

run "the_state_is_copied_to_another_region" {
  variables {
    replica_region = "eu-west-1"
  }

  assert {
    condition     = output.state_replica == "pulsequeue-terraform-state-123456789012-eu-west-1-replica" && one(aws_s3_bucket_replication_configuration.state["eu-west-1"].rule).status == "Enabled" && one(one(aws_s3_bucket_replication_configuration.state["eu-west-1"].rule).delete_marker_replication).status == "Enabled"
    error_message = "Each state must be copied."
  }

  assert {
    condition     = one(one(one(aws_s3_bucket_replication_configuration.state["eu-west-1"].rule).destination).encryption_configuration).replica_kms_key_id == "arn:aws:kms:eu-west-1:123456789012:key/2" && aws_kms_key.replica["eu-west-1"].enable_key_rotation
    error_message = "The copy must be encrypted with a key of its own region."
  }

  assert {
    condition     = alltrue([for it in jsondecode(aws_iam_role_policy.replication["eu-west-1"].policy).Statement : alltrue([for resource in flatten([it.Resource]) : strcontains(resource, "pulsequeue-terraform-state-") || strcontains(resource, ":kms:")])])
    error_message = "The role may copy the state, and nothing else."
  }
}

run "refuses_a_copy_in_the_same_region" {
  command = plan

  variables {
    replica_region = "us-east-1"
  }

  expect_failures = [var.replica_region]
}
