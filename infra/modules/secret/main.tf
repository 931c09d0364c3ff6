# Generated while it is written, and stored in neither a plan nor the state.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = var.length
  exclude_punctuation = true
}

resource "aws_ssm_parameter" "this" {
  # checkov:skip=CKV_AWS_337:The AWS managed key for parameters is free and roles restrict reading; a key of our own costs $1 a month.
  name             = var.name
  description      = var.description
  type             = "SecureString"
  value_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  value_wo_version = var.edition
}
