terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Bucket, key and region are outputs of infra/bootstrap: terraform init -backend-config=backend.hcl
  backend "s3" {
    use_lockfile = true
    # Encrypted by the bucket, with its own KMS key.
  }
}
