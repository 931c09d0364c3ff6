# A second copy of the state, in another region: without the state nothing else can be changed or removed.
provider "aws" {
  alias  = "replica"
  region = coalesce(var.replica_region, var.region)

  default_tags {
    tags = {
      Project   = "pulsequeue"
      ManagedBy = "terraform"
      Part      = "bootstrap"
    }
  }
}

locals {
  replicas = toset(var.replica_region[*])
  replica  = { for region in local.replicas : region => "pulsequeue-terraform-state-${local.account}-${region}-replica" }
}

resource "aws_kms_key" "replica" {
  for_each = local.replicas
  provider = aws.replica

  description             = "Copy of the Terraform state of PulseQueue."
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = aws_kms_key.state.policy
}

module "replica" {
  source    = "../modules/bucket"
  for_each  = local.replicas
  providers = { aws = aws.replica }

  name            = local.replica[each.key]
  kms_key_arn     = aws_kms_key.replica[each.key].arn
  protected       = true
  noncurrent_days = 365
}

resource "aws_iam_role" "replication" {
  for_each = local.replicas

  name        = "pulsequeue-state-replication"
  description = "Copies the Terraform state to ${each.key}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "replication" {
  for_each = local.replicas

  name = "replication"
  role = aws_iam_role.replication[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = "${local.arn_root}:s3:::${local.state_bucket}"
      },
      {
        Sid    = "Read"
        Effect = "Allow"
        Action = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
        # Wildcard: every state.
        Resource = "${local.arn_root}:s3:::${local.state_bucket}/*"
      },
      {
        Sid    = "Write"
        Effect = "Allow"
        Action = ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"]
        # Wildcard: the copy of every state.
        Resource = "${local.arn_root}:s3:::${local.replica[each.key]}/*"
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.state.arn
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:GenerateDataKey"]
        Resource = aws_kms_key.replica[each.key].arn
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "state" {
  for_each = local.replicas

  bucket = module.state.name
  role   = aws_iam_role.replication[each.key].arn

  rule {
    id     = "state"
    status = "Enabled"

    filter {}

    # A deleted state can be restored from its earlier versions, in both buckets.
    delete_marker_replication {
      status = "Enabled"
    }

    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }

    destination {
      bucket        = "${local.arn_root}:s3:::${local.replica[each.key]}"
      storage_class = "STANDARD"

      encryption_configuration {
        replica_kms_key_id = aws_kms_key.replica[each.key].arn
      }
    }
  }

  # The replica is versioned before the first object is copied.
  depends_on = [module.replica]
}
