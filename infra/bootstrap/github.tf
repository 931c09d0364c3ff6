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
  own = {
    for env, called in local.called : env => [
      for thing in [
        # Wildcards: the names of all resources of an environment start with its prefix, in every region.
        "dynamodb:*:${local.account}:table/${called}-pulsequeue-*",
        "events:*:${local.account}:event-bus/${called}-pulsequeue",
        "events:*:${local.account}:rule/${called}-pulsequeue/*",
        "lambda:*:${local.account}:function:${called}-pulsequeue-*",
        "rds:*:${local.account}:cluster:${called}-pulsequeue-*",
        "rds:*:${local.account}:db:${called}-pulsequeue-*",
        "s3:::${called}-pulsequeue-*",
        "secretsmanager:*:${local.account}:secret:${called}-pulsequeue-*",
        "sqs:*:${local.account}:${called}-pulsequeue-*",
        "ssm:*:${local.account}:parameter/${called}-pulsequeue/*",
      ] : "${local.arn_root}:${thing}"
    ]
  }

  # What another environment's jobs must not touch: its resources, its stacks and its state.
  things = {
    for env, called in local.called : env => concat(local.own[env], [
      "${local.arn_root}:cloudformation:*:${local.account}:stack/${called}-pulsequeue-*",
      "${local.arn_root}:s3:::${local.state_bucket}/${called}/*",
    ])
  }

  # Networks, gateways, user pools, keys and log groups have no names that IAM could distinguish, but tags.
  deny_by_tag = {
    for env, called in local.called : env => {
      Sid    = "DenyByTag"
      Effect = "Deny"
      # A deny statement, for every action on a resource with the tag of another environment.
      Action   = "*"
      Resource = "*"
      Condition = {
        StringNotLike = { "aws:ResourceTag/environment" = called }
        Null          = { "aws:ResourceTag/environment" = "false" }
      }
    }
  }

  # Wildcard: one role for each function, and some more.
  role_arns = { for env, called in local.called : env => "${local.arn_root}:iam::${local.account}:role/${called}-pulsequeue-*" }
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.github}"
  client_id_list = ["sts.amazonaws.com"]
}

# For pull requests: may read what a plan reads, and change nothing.
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

# With -refresh=false a plan reads its state and the data sources of the modules, and nothing else.
resource "aws_iam_role_policy" "plan" {
  name = "plan"
  role = aws_iam_role.plan.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ListState"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = "${local.arn_root}:s3:::${local.state_bucket}"
      },
      {
        Sid    = "ReadStateOfDev"
        Effect = "Allow"
        Action = "s3:GetObject"
        # Pull requests plan dev only.
        Resource = "${local.arn_root}:s3:::${local.state_bucket}/dev/*"
      },
      {
        Sid      = "DecryptState"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.state.arn
      },
      {
        Sid    = "DataSources"
        Effect = "Allow"
        # Terraform generates new secrets while planning and discards them.
        Action = ["ec2:DescribeAvailabilityZones", "secretsmanager:GetRandomPassword"]
        # Wildcard: neither has a resource.
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

# No role of an environment can do more than this, whatever policies a deployment gives it.
resource "aws_iam_policy" "boundary" {
  for_each = var.environments

  name        = "pulsequeue-boundary-${each.key}"
  description = "The most that a role of ${each.key} may do."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Own"
        Effect = "Allow"
        # Wildcards: a boundary grants nothing, and a role's own policy names each action.
        Action = ["dynamodb:*", "events:PutEvents", "lambda:InvokeFunction", "s3:*Object*", "s3:ListBucket*", "secretsmanager:GetSecretValue", "sqs:*", "ssm:GetParameter*"]
        # By name, with indexes, streams, objects and versions.
        Resource = local.own[each.key]
      },
      {
        Sid    = "Unnamed"
        Effect = "Allow"
        Action = [
          "cloudwatch:DescribeAlarms", "cloudwatch:GetMetric*", "cloudwatch:PutMetricData", "cognito-idp:*", "ec2:*NetworkInterface*",
          "ec2:*PrivateIpAddresses", "ec2:DescribeSubnets", "ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer",
          "execute-api:ManageConnections", "kms:Decrypt", "kms:GenerateDataKey*", "kms:GetPublicKey", "kms:Sign", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:Describe*",
          "logs:GetLogEvents", "logs:PutLogEvents", "logs:PutRetentionPolicy", "rds-db:connect", "sns:Publish", "xray:Put*"
        ]
        Resource = "*" # Wildcard: these have no name with the environment, or no resource at all.
      },
      {
        Sid    = "Backups"
        Effect = "Allow"
        # Wildcards: what AWS Backup's role reads, makes and copies; its own policy names each action.
        Action = [
          "backup:CopyFromBackupVault", "backup:CopyIntoBackupVault", "backup:DescribeBackupVault", "backup:TagResource", "kms:CreateGrant", "kms:DescribeKey",
          "rds:*DBClusterSnapshot*", "rds:AddTagsToResource", "rds:DescribeDBClusters", "rds:ListTagsForResource", "tag:GetResources"
        ]
        Resource = "*" # Wildcard: snapshots and recovery points have names that AWS chooses.
      },
      {
        Sid      = "DatabaseSecret"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "${local.arn_root}:secretsmanager:*:${local.account}:secret:rds!*" # RDS chooses the name; the key has the environment's tag
      },
      local.deny_by_tag[each.key],
    ]
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
        Sid    = "BoundedRoles"
        Effect = "Allow"
        Action = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        # The roles of this environment, one for each function and some more; for previews, those of all previews.
        Resource = local.role_arns[each.key]
        # A role without the boundary can neither be created nor be given a policy.
        Condition = { StringEquals = { "iam:PermissionsBoundary" = aws_iam_policy.boundary[each.key].arn } }
      },
      {
        Sid    = "Roles"
        Effect = "Allow"
        Action = [
          "iam:DeleteRole",
          "iam:DeleteRolePolicy",
          "iam:DetachRolePolicy",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
          "iam:ListRoleTags",
          "iam:TagRole",
          "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy",
          "iam:UpdateRole",
          "iam:UpdateRoleDescription",
        ]
        Resource = local.role_arns[each.key]
      },
      {
        Sid      = "PassRoles"
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = local.role_arns[each.key]
        Condition = { StringEquals = { "iam:PassedToService" = [
          "backup.amazonaws.com",
          "chatbot.amazonaws.com",
          "ecs-tasks.amazonaws.com",
          "lambda.amazonaws.com",
          "monitoring.rds.amazonaws.com",
          "rds.amazonaws.com",
          "scheduler.amazonaws.com",
          "vpc-flow-logs.amazonaws.com",
        ] } }
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
        # A deny statement, for every action: an administrator changes deploy roles and boundaries, here.
        Action   = "iam:*"
        Resource = ["${local.arn_root}:iam::${local.account}:role/pulsequeue-*", "${local.arn_root}:iam::${local.account}:policy/pulsequeue-*"]
      },
      {
        Sid    = "DenyStateSettings"
        Effect = "Deny"
        # Everything but reading and writing the state: earlier versions, expiry and policy are an administrator's.
        NotAction = ["s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
        Resource  = ["${local.arn_root}:s3:::${local.state_bucket}", "${local.arn_root}:s3:::${local.state_bucket}/*"]
      },
      {
        Sid      = "DenyStateOfBootstrap"
        Effect   = "Deny"
        Action   = "s3:*"
        Resource = "${local.arn_root}:s3:::${local.state_bucket}/bootstrap/*"
      },
      {
        Sid       = "DenyStateKeySettings"
        Effect    = "Deny"
        NotAction = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource  = aws_kms_key.state.arn
      },
      {
        Sid    = "DenyLossOfBackups"
        Effect = "Deny"
        # Wildcard: a vault, its access policy and its notifications.
        Action = [
          "backup:DeleteBackupVault*",
          "backup:DeleteRecoveryPoint",
          "dynamodb:DeleteBackup",
          "rds:DeleteDBClusterSnapshot",
          "rds:ModifyDBClusterSnapshotAttribute",
        ]
        # A deny statement: what is left after a loss, of any environment.
        Resource = "*"
      },
      local.deny_by_tag[each.key],
    ])
  })
}
