# A copy of tables and database every day, in a vault that keeps it for a while against everybody, and, when there is one, in
# a vault of another account or region.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  arn_root = "arn:${data.aws_partition.this.partition}"
}

resource "aws_kms_key" "this" {
  description             = "Backups of ${var.name}."
  enable_key_rotation     = true
  deletion_window_in_days = 30 # without the key no backup can be restored

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "${local.arn_root}:iam::${data.aws_caller_identity.this.account_id}:root" }
      Action    = "kms:*" # without this the account could not administer the key
      Resource  = "*"     # in a key policy: this key
    }]
  })
}

resource "aws_backup_vault" "this" {
  name        = var.name
  kms_key_arn = aws_kms_key.this.arn
}

# Governance mode: deleting earlier needs a permission that no deploy role has.
resource "aws_backup_vault_lock_configuration" "this" {
  backup_vault_name  = aws_backup_vault.this.name
  min_retention_days = min(7, var.days)
  max_retention_days = max(365, var.days)
}

resource "aws_backup_plan" "this" {
  name = var.name

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this.name
    schedule          = "cron(0 4 * * ? *)" # after the database's own window
    start_window      = 60
    completion_window = 360

    lifecycle {
      delete_after = var.days
    }

    dynamic "copy_action" {
      for_each = var.copy_to_vault_arn[*]

      content {
        destination_vault_arn = copy_action.value

        lifecycle {
          delete_after = var.days
        }
      }
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = var.resource_arns
}

resource "aws_iam_role" "this" {
  name                 = "${var.name}-backup"
  permissions_boundary = var.permissions_boundary_arn
  description          = "Makes and copies the backups of ${var.name}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = "${local.arn_root}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}
