# Google and GitHub beside the user pool. GitHub speaks no OpenID Connect: routes of the function `session` stand between.
locals {
  # Whether people sign in with GitHub is no secret.
  github = nonsensitive(var.github != null)

  # By the console's address: that of the API is known after its functions, which need the pool.
  github_issuer = "${local.console_url}/auth/github"

  identity_providers = merge(var.identity_providers, local.github ? {
    GitHub = {
      client_id     = var.github.client_id
      client_secret = var.github.client_secret
      issuer        = local.github_issuer
      endpoints = {
        authorize_url  = "${local.github_issuer}/authorize"
        token_url      = "${local.github_issuer}/token"
        attributes_url = "${local.github_issuer}/userinfo"
        jwks_uri       = "${local.github_issuer}/jwks"
      }
    }
  } : {})

  github_variables = local.github ? {
    GITHUB_CLIENT_ID    = nonsensitive(var.github.client_id)
    GITHUB_ISSUER       = local.github_issuer
    GITHUB_CALLBACK_URL = module.users.session.idp_callback_url
    GITHUB_SIGNING_KEY  = aws_kms_key.github["this"].key_id
    GITHUB_URL          = nonsensitive(var.github.url)
    GITHUB_API_URL      = nonsensitive(var.github.api_url)
  } : {}

  github_permissions = local.github ? {
    SignForGithub = {
      actions   = ["kms:GetPublicKey", "kms:Sign"]
      resources = [aws_kms_key.github["this"].arn]
    }
  } : {}
}

# Signs what the user pool learns of a person at GitHub. The private key never leaves KMS.
resource "aws_kms_key" "github" {
  for_each = local.github ? toset(["this"]) : toset([])

  description              = "Signs the tokens of people who sign in to ${local.prefix} with GitHub."
  key_usage                = "SIGN_VERIFY"
  customer_master_key_spec = "RSA_2048"
  deletion_window_in_days  = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "${local.arn}:iam::${data.aws_caller_identity.this.account_id}:root" }
      Action    = "kms:*" # without this the account could not administer the key
      Resource  = "*"     # in a key policy: this key
    }]
  })
}

resource "aws_kms_alias" "github" {
  for_each = aws_kms_key.github

  name          = "alias/${local.prefix}-github"
  target_key_id = each.value.key_id
}

# Apart from the function's other permissions: the pool depends on the function that has those.
resource "aws_iam_role_policy" "second_factor" {
  for_each = var.admins_need_second_factor ? toset(["this"]) : toset([])

  name = "second-factor"
  role = reverse(split("/", module.pool_trigger["claims"].role_arn))[0]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadSecondFactor"
      Effect   = "Allow"
      Action   = "cognito-idp:AdminGetUser" # services/organizations/cognito.py
      Resource = "${local.arn}:cognito-idp:${local.where}:userpool/${module.users.id}"
    }]
  })
}
