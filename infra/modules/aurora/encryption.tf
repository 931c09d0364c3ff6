resource "aws_kms_key" "this" {
  description             = "Data, backups, secret, statistics and logs of ${local.name}."
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Account"
        Effect    = "Allow"
        Principal = { AWS = "${local.arn_root}:iam::${local.account}:root" }
        Action    = "kms:*" # a key that its own account cannot administer is lost
        Resource  = "*"     # in the policy of a key: this key
      },
      {
        # As with Secrets Manager's own key: whoever may read the secret needs no right of his own to the key.
        Sid       = "Secret"
        Effect    = "Allow"
        Principal = { AWS = "*" } # of this account, see below
        Action    = "kms:Decrypt"
        Resource  = "*" # in the policy of a key: this key
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
        Resource  = "*" # in the policy of a key: this key
        Condition = {
          ArnLike = {
            # One group for each kind of log.
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

# Made before the cluster, which would make them without an end and without the key.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["iam-db-auth-error", "postgresql"])

  name              = "/aws/rds/cluster/${local.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
}
