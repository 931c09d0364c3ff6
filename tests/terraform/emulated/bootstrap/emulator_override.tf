provider "aws" {
  # The emulator has one host name, not one for each bucket.
  s3_use_path_style = true
}
