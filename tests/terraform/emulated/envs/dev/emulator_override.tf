provider "aws" {
  # The emulator answers under one name, not under one for each bucket.
  s3_use_path_style = true
}

terraform {
  backend "s3" {
    # Likewise.
    use_path_style = true
  }
}

module "environment" {
  emulator = var.emulator
}
