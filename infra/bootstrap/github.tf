# GitHub's jobs have a token that names their repository and environment. There are no long-lived keys
# to leak: a role is assumed for two hours.

locals {
  github = "token.actions.githubusercontent.com"

  # Repositories that were created, renamed or transferred since 15 July 2026 send their ids in the subject, and
  # older ones do if they opted in. A new repository with a recycled name has other ids, and so neither subject.
  owner = split("/", var.repository)[0]
  name  = split("/", var.repository)[1]
  subjects = concat(["repo:${var.repository}"], var.repository_ids == null ? [] : [
    "repo:${local.owner}@${var.repository_ids.owner}/${local.name}@${var.repository_ids.repository}",
  ])

  # Name prefix of each environment; each preview is an environment of its own.
  called = { for env in var.environments : env => env == "preview" ? "preview-*" : env }

  # Resources that hold data or run code and have the environment in their name.
  things = {
    for env, called in local.called : env => [
      for thing in [
        # Wildcards: the names of all resources of an environment start with its prefix, in every region.
        "cloudformation:*:${local.account}:stack/${called}-pulsequeue-*",
        "dynamodb:*:${local.account}:table/${called}-pulsequeue-*",
        "events:*:${local.account}:event-bus/${called}-pulsequeue",
        "events:*:${local.account}:rule/${called}-pulsequeue/*",
        "lambda:*:${local.account}:function:${called}-pulsequeue-*",
        "rds:*:${local.account}:cluster:${called}-pulsequeue-*",
        "rds:*:${local.account}:db:${called}-pulsequeue-*",
        # Buckets, and the folder of the environment's state.
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

# For pull requests: may read everything a plan reads, and change nothing.
resource "aws_iam_role" "plan" {
  name                 = "pulsequeue-plan"
  description          = "Plans the changes of pull requests of ${var.repository}."
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
          "${local.github}:sub" = [for it in local.subjects : "${it}:pull_request"]
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
        Sid    = "GenerateSecrets"
        Effect = "Allow"
        # Terraform generates new secrets while planning and discards them. ReadOnlyAccess does not allow that.
        Action = "secretsmanager:GetRandomPassword"
        # Wildcard: a generated password is no resource.
        Resource = "*"
      },
      {
        Sid    = "DenySecretValues"
        Effect = "Deny"
        # ReadOnlyAccess includes the values of secrets, which authors of pull requests must not read.
        Action = ["secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "sqs:ReceiveMessage"]
        # A deny statement, for secrets of any name.
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
          "${local.github}:sub" = [for it in local.subjects : "${it}:environment:${each.key}"]
        }
      }
    }]
  })
}

# Everything but IAM: a deployment uses about twenty services.
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
        Sid    = "DenyOtherEnvironments"
        Effect = "Deny"
        # A deny statement, for every action.
        Action = "*"
        # PowerUserAccess is not limited to an environment. Jobs that deploy previews must not access other environments' data.
        Resource = flatten([for env, things in local.things : things if env != each.key])
      },
      ], [
      {
        Sid    = "DenyDatabaseSecrets"
        Effect = "Deny"
        Action = "secretsmanager:GetSecretValue"
        # Wildcard: RDS chooses the names of administrators' secrets. The migrator reads its own.
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
        # The roles of this environment, one for each function and some more; for previews, those of all previews.
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
        # The policy for verifying this environment; for previews, those of all previews.
        Resource = "${local.arn_root}:iam::${local.account}:policy/${local.called[each.key]}-pulsequeue-*"
      },
      {
        Sid    = "ReadOnly"
        Effect = "Allow"
        Action = ["iam:GetPolicy", "iam:GetPolicyVersion"]
        # AWS managed policies attached to roles.
        Resource = "${local.arn_root}:iam::aws:policy/*"
      },
      {
        Sid    = "DenyPrivilegeEscalation"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy",
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:PutRolePolicy",
          "iam:UpdateAssumeRolePolicy",
        ]
        # Deploy roles cannot change deploy roles: an administrator changes them here.
        Resource = ["${local.arn_root}:iam::${local.account}:role/pulsequeue-*"]
      },
    ])
  })
}
