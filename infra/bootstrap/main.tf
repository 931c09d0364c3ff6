# Prerequisites of the first deployment: the bucket of the Terraform state and the roles that deploy. Its own state stays
# on the machine of the administrator, or is moved into the bucket afterwards (README.md).

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project   = "pulsequeue"
      ManagedBy = "terraform"
      Part      = "bootstrap"
    }
  }
}

data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

locals {
  account      = data.aws_caller_identity.here.account_id
  arn_root     = "arn:${data.aws_partition.here.partition}"
  state_bucket = coalesce(var.state_bucket, "pulsequeue-terraform-state-${local.account}-${var.region}")
}

resource "aws_kms_key" "state" {
  description             = "Terraform state of PulseQueue."
  enable_key_rotation     = true
  deletion_window_in_days = 30 # without the key no state can be read

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "${local.arn_root}:iam::${local.account}:root" }
      Action    = "kms:*" # without this the account could not administer the key
      Resource  = "*"     # in a key policy: this key
    }]
  })
}

resource "aws_kms_alias" "state" {
  name          = "alias/pulsequeue-terraform-state"
  target_key_id = aws_kms_key.state.key_id
}

module "state" {
  source = "../modules/bucket"

  name            = local.state_bucket
  kms_key_arn     = aws_kms_key.state.arn
  protected       = true
  noncurrent_days = 365
}
