# GitHub's jobs come with a token that says which repository and which environment they run for. There are no keys
# to leak: a role is lent for two hours.

locals {
  github  = "token.actions.githubusercontent.com"
  plan_as = "repo:${var.repository}:pull_request"

  # How an environment's names begin; each preview is an environment of its own.
  called = { for env in var.environments : env => env == "preview" ? "preview-*" : env }

  # What an environment keeps, or runs, that can be told by its name.
  things = {
    for env, called in local.called : env => [
      for thing in [
        # Wildcards: all that an environment is made of is named after it, in whatever region.
        "cloudformation:*:${local.account}:stack/${called}-pulsequeue-*",
        "dynamodb:*:${local.account}:table/${called}-pulsequeue-*",
        "events:*:${local.account}:event-bus/${called}-pulsequeue",
        "events:*:${local.account}:rule/${called}-pulsequeue/*",
        "lambda:*:${local.account}:function:${called}-pulsequeue-*",
        "rds:*:${local.account}:cluster:${called}-pulsequeue-*",
        "rds:*:${local.account}:db:${called}-pulsequeue-*",
        # Buckets, and the folder of its state.
        "s3:::${called}-pulsequeue-*",
        "s3:::${local.state_bucket}/${called}/*",
        "secretsmanager:*:${local.account}:secret:${called}-pulsequeue-*",
        "sqs:*:${local.account}:${called}-pulsequeue-*",
        "ssm:*:${local.account}:parameter/${called}-pulsequeue/*",
      ] : "${local.arn_root}:${thing}"
    ]
  }
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

# For pull requests: may look at everything that a plan looks at, and change nothing.
resource "aws_iam_role" "plan" {
  name                 = "pulsequeue-plan"
  description          = "Plans what a pull request of ${var.repository} would change."
  max_session_duration = 7200

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = local.plan_as
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.plan.name
  policy_arn = "${local.arn_root}:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  name = "state"
  role = aws_iam_role.plan.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadState"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.state.arn
      },
      {
        Sid    = "MakeUpSecrets"
        Effect = "Allow"
        # Terraform makes new secrets up already while it plans, and then forgets them. ReadOnlyAccess may not.
        Action = "secretsmanager:GetRandomPassword"
        # Wildcard: what is made up is nowhere.
        Resource = "*"
      },
      {
        Sid    = "NoSecrets"
        Effect = "Deny"
        # ReadOnlyAccess reads what is kept in secrets, too; whoever can open a pull request must not.
        Action = ["secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "sqs:ReceiveMessage"]
        # A refusal, whatever they are called.
        Resource = "*"
      },
    ]
  })
}

# One role for each environment: a job of one cannot deploy another.
resource "aws_iam_role" "deploy" {
  for_each = var.environments

  name                 = "pulsequeue-deploy-${each.key}"
  description          = "Deploys ${each.key}-pulsequeue from ${var.repository}."
  max_session_duration = 7200

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.github}:aud" = "sts.amazonaws.com"
          "${local.github}:sub" = "repo:${var.repository}:environment:${each.key}"
        }
      }
    }]
  })
}

# Everything but IAM: what a deployment makes is spread over twenty services.
resource "aws_iam_role_policy_attachment" "deploy" {
  for_each = var.environments

  role       = aws_iam_role.deploy[each.key].name
  policy_arn = "${local.arn_root}:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "deploy" {
  for_each = var.environments

  name = "roles-of-its-environment"
  role = aws_iam_role.deploy[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(length(var.environments) == 1 ? [] : [
      {
        Sid    = "NotOthers"
        Effect = "Deny"
        # A refusal, whatever they are asked for.
        Action = "*"
        # PowerUserAccess knows no environments. Whoever deploys previews must not come by the others' data.
        Resource = flatten([for env, things in local.things : things if env != each.key])
      },
      ], [
      {
        Sid    = "NoAdministrator"
        Effect = "Deny"
        Action = "secretsmanager:GetSecretValue"
        # Wildcard: RDS names the secrets of all its administrators itself. The migrator reads its own.
        Resource = "${local.arn_root}:secretsmanager:*:${local.account}:secret:rds!*"
      },
      {
        Sid    = "Roles"
        Effect = "Allow"
        Action = [
          "iam:AttachRolePolicy",
          "iam:CreateRole",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
          "iam:ListRoleTags",
          "iam:PassRole",
          "iam:PutRolePolicy",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
        ]
        # The roles of this environment, one for each function and some more; of previews, those of all of them.
        Resource = "${local.arn_root}:iam::${local.account}:role/${local.called[each.key]}-pulsequeue-*"
      },
      {
        Sid    = "Policies"
        Effect = "Allow"
        Action = [
          "iam:CreatePolicy",
          "iam:CreatePolicyVersion",
          "iam:DeletePolicy",
          "iam:DeletePolicyVersion",
          "iam:GetPolicy",
          "iam:GetPolicyVersion",
          "iam:ListPolicyVersions",
          "iam:TagPolicy",
          "iam:UntagPolicy",
        ]
        # What this environment allows to whoever verifies it; of previews, all of them.
        Resource = "${local.arn_root}:iam::${local.account}:policy/${local.called[each.key]}-pulsequeue-*"
      },
      {
        Sid    = "ReadOnly"
        Effect = "Allow"
        Action = ["iam:GetPolicy", "iam:GetPolicyVersion"]
        # AWS's own policies, that roles are given.
        Resource = "${local.arn_root}:iam::aws:policy/*"
      },
      {
        Sid    = "NoFurther"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:PutRolePolicy",
          "iam:UpdateAssumeRolePolicy",
        ]
        # Whoever deploys does not say who may deploy: these roles are changed here, by hand.
        Resource = ["${local.arn_root}:iam::${local.account}:role/pulsequeue-*"]
      },
    ])
  })
}
