resource "aws_kms_key" "this" {
  description             = "Data, backups, secret, Database Insights and logs of ${local.name}."
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "${local.arn_root}:iam::${local.account}:root" }
        Action    = "kms:*" # without this the account could not administer the key
        Resource  = "*"     # in a key policy: this key
      },
      {
        # As with the AWS managed key of Secrets Manager: readers of the secret need no permission on the key.
        Sid       = "Secret"
        Effect    = "Allow"
        Principal = { AWS = "*" } # of this account, by the condition below
        Action    = "kms:Decrypt"
        Resource  = "*" # in a key policy: this key
        Condition = {
          StringEquals = {
            "kms:CallerAccount" = local.account
            "kms:ViaService"    = "secretsmanager.${data.aws_region.here.name}.amazonaws.com"
          }
        }
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Principal = { Service = "logs.${data.aws_region.here.name}.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*" # in a key policy: this key
        Condition = {
          ArnLike = {
            # One log group for each kind of log.
            "kms:EncryptionContext:aws:logs:arn" = "${local.arn_root}:logs:${data.aws_region.here.name}:${local.account}:log-group:/aws/rds/cluster/${local.name}/*"
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.this.key_id
}

# Created before the cluster, which would create them without expiry and without the key.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["iam-db-auth-error", "postgresql"])

  name              = "/aws/rds/cluster/${local.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}
