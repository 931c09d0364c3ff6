# Made up while it is written, and kept nowhere else: neither in a plan nor in the state.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = var.length
  exclude_punctuation = true
}

resource "aws_ssm_parameter" "this" {
  # checkov:skip=CKV_AWS_337:The account's own key for parameters is free, and roles say who may read; one of ours is $1 a month.
  name             = var.name
  description      = var.description
  type             = "SecureString"
  value_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  value_wo_version = var.edition
}
