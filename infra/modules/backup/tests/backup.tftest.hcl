mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/prod-shop-backup" }
  }

  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-central-1:123456789012:backup-vault:prod-shop" }
  }
}

variables {
  name          = "prod-shop"
  resource_arns = ["arn:aws:dynamodb:eu-central-1:123456789012:table/prod-shop-orders"]
}

run "backs_up_every_day_into_an_encrypted_vault" {
  command = plan

  assert {
    condition     = one(aws_backup_plan.this.rule).schedule == "cron(0 4 * * ? *)" && one(one(aws_backup_plan.this.rule).lifecycle).delete_after == 35 && length(one(aws_backup_plan.this.rule).copy_action) == 0
    error_message = "A backup must be made every day, and kept for 35."
  }

  assert {
    condition     = aws_backup_vault.this.kms_key_arn == aws_kms_key.this.arn && aws_kms_key.this.enable_key_rotation && aws_backup_selection.this.resources == toset(["arn:aws:dynamodb:eu-central-1:123456789012:table/prod-shop-orders"])
    error_message = "What was named must be backed up, encrypted."
  }
}

run "nobody_deletes_a_backup_in_its_first_week" {
  command = plan

  assert {
    condition     = aws_backup_vault_lock_configuration.this.min_retention_days == 7 && aws_backup_vault_lock_configuration.this.changeable_for_days == null
    error_message = "The vault must be locked, and the lock must be removable by an administrator."
  }
}

run "copies_to_another_account_or_region" {
  command = plan

  variables {
    copy_to_vault_arn = "arn:aws:backup:eu-west-1:210987654321:backup-vault:pulsequeue"
    days              = 90
  }

  assert {
    condition     = one(one(aws_backup_plan.this.rule).copy_action).destination_vault_arn == "arn:aws:backup:eu-west-1:210987654321:backup-vault:pulsequeue" && one(one(one(aws_backup_plan.this.rule).copy_action).lifecycle).delete_after == 90
    error_message = "Each backup must be copied, and the copy kept as long."
  }
}

run "the_role_is_for_backups_only" {
  command = plan

  variables {
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal.Service == "backup.amazonaws.com" && aws_iam_role.this.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary" && aws_iam_role_policy_attachment.this.policy_arn == "arn:aws:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
    error_message = "Only AWS Backup may assume the role, within the boundary."
  }
}

run "refuses_wrong_values" {
  command = plan

  variables {
    name              = "Prod"
    resource_arns     = []
    days              = 0.5
    copy_to_vault_arn = "pulsequeue"
  }

  expect_failures = [var.name, var.resource_arns, var.days, var.copy_to_vault_arn]
}
