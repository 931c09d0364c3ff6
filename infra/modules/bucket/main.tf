data "aws_partition" "here" {}

locals {
  arn = "arn:${data.aws_partition.here.partition}:s3:::${var.name}"

  tls = [
    {
      Sid       = "RequireTls"
      Effect    = "Deny"
      Principal = "*"    # a deny statement, for every principal
      Action    = "s3:*" # every action
      Resource  = [local.arn, "${local.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
    {
      Sid       = "RequireTls12"
      Effect    = "Deny"
      Principal = "*"    # a deny statement, for every principal
      Action    = "s3:*" # every action
      Resource  = [local.arn, "${local.arn}/*"]
      Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
    },
  ]
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV2_AWS_62:Notifications are configured beside the queue that receives them, where there is one.
  # checkov:skip=CKV_AWS_144:Versioning undoes mistakes; after the loss of a region the contents can be recreated from the repository.
  bucket        = var.name
  force_destroy = !var.protected
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # With a bucket key instead of one per object, KMS requests cost about a hundredth.
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([for it in var.distribution_arn[*] : {
      Sid       = "Distribution"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      # Wildcard: all objects.
      Resource  = "${local.arn}/*"
      Condition = { StringEquals = { "AWS:SourceArn" = it } }
    }], [for it in local.tls : it if var.tls_only || it.Sid == "RequireTls12"])
  })

  # S3 rejects a policy while the public access block is still changing.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    dynamic "expiration" {
      for_each = var.expire_days[*]

      content {
        days = expiration.value
      }
    }
  }

  # The rules are about earlier versions, which exist only with versioning.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_cors_configuration" "this" {
  for_each = toset(length(var.upload_origins) > 0 ? ["uploads"] : [])

  bucket = aws_s3_bucket.this.id

  cors_rule {
    allowed_methods = ["POST"]
    allowed_origins = var.upload_origins
    allowed_headers = ["content-type"]
    max_age_seconds = 600
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each = toset(var.log_bucket[*])

  bucket        = aws_s3_bucket.this.id
  target_bucket = each.key
  target_prefix = "${var.name}/"
}
