provider "aws" {
  # The emulator has one host name, not one for each bucket.
  s3_use_path_style = true
}

terraform {
  backend "s3" {
    # As above.
    use_path_style = true
  }
}

module "environment" {
  emulator = var.emulator
}
