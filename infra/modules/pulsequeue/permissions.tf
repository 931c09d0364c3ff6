# Permissions of each function, derived from what it uses according to infra/functions.yaml and from the calls that
# services/ makes: only permissions of actual calls are granted.
locals {
  where = "${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"
  arn   = "arn:${data.aws_partition.this.partition}"

  # services/shared/adapters/dynamodb_store.py reads both tables in batches, updates stock, puts orders, and scans both
  # for the audit; a transaction needs the permission of each of its actions.
  # services/metrics/adapters/dynamodb_snapshots.py stores snapshots.
  calls = {
    inventory = { read = ["dynamodb:BatchGetItem"], write = ["dynamodb:UpdateItem"], scan = ["dynamodb:Scan"] }
    orders    = { read = ["dynamodb:BatchGetItem"], write = ["dynamodb:PutItem"], scan = ["dynamodb:Scan"] }
    # services/shared/adapters/console_table.py
    console = { read = ["dynamodb:GetItem"], list = ["dynamodb:Query"], write = ["dynamodb:PutItem", "dynamodb:UpdateItem"], update = ["dynamodb:UpdateItem"], delete = ["dynamodb:DeleteItem"] }
    # services/webhooks/store.py
    webhooks = { read = ["dynamodb:GetItem"], list = ["dynamodb:Query"], write = ["dynamodb:PutItem"], delete = ["dynamodb:DeleteItem"] }
    metrics  = { read = ["dynamodb:GetItem"], write = ["dynamodb:DeleteItem", "dynamodb:PutItem"] }
  }

  # services/datasets/s3_files.py
  bucket_calls = { read = "s3:GetObject", write = "s3:PutObject", delete = "s3:DeleteObject" }

  # By what a function does with the user pool. Apart from the other permissions: the pool depends on a function that
  # has those. services/organizations/cognito.py, services/session/cognito.py
  user_permissions = {
    managesUsers = {
      ManageUsers = {
        actions   = ["cognito-idp:AdminCreateUser", "cognito-idp:AdminDeleteUser", "cognito-idp:AdminSetUserPassword"]
        resources = ["${local.arn}:cognito-idp:${local.where}:userpool/${module.users.id}"]
      }
    }
    signsIn = merge({
      ReadOauthClientSecret = {
        actions   = ["ssm:GetParameter"]
        resources = [module.users.session.secret_parameter_arn]
      }
    }, local.github_permissions)
  }

  permissions = {
    for name, it in local.functions : name => merge(
      {
        for table, access in try(it.tables, {}) : "Use${title(table)}" => {
          actions   = sort(flatten([for kind in access : local.calls[table][kind]]))
          resources = [module.table[table].arn]
        }
      },
      {
        for bucket, access in try(it.buckets, {}) : "Use${replace(title(replace(bucket, "-", " ")), " ", "")}" => {
          actions = sort([for kind in access : local.bucket_calls[kind]])
          # Wildcard: all objects.
          resources = ["${local.arn}:s3:::${local.bucket_names[bucket]}/*"]
        }
      },
      {
        for secret in try(it.secrets, []) : "Read${replace(title(replace(secret, "-", " ")), " ", "")}" => {
          actions   = ["ssm:GetParameter"]
          resources = [module.secret[secret].arn]
        } if secret != "stripe-api-key" || var.payment_gateway == "stripe"
      },
      {
        # services/webhooks/queues.py
        for other in try(it.sendsTo, []) : "SendTo${replace(title(replace(other, "-", " ")), " ", "")}" => {
          actions   = other == name ? ["sqs:SendMessage"] : ["sqs:GetQueueUrl", "sqs:SendMessage"] # of its own it knows the URL
          resources = ["${local.arn}:sqs:${local.where}:${local.prefix}-${other}"]
        }
      },
      {
        for sid in ["Publish"] : sid => {
          actions   = ["events:PutEvents"]
          resources = [module.bus.arn]
        } if try(it.publishes, false)
      },
      {
        for sid in ["ReadMetrics"] : sid => {
          actions = ["cloudwatch:GetMetricData"]
          # Wildcard: CloudWatch has no resource-level permissions for metrics.
          resources = ["*"]
        } if try(it.readsMetrics, false)
      },
      {
        for sid in ["ConnectToDatabase"] : sid => {
          actions   = ["rds-db:connect"]
          resources = ["${local.arn}:rds-db:${local.where}:dbuser:${var.database.resource_id}/pulsequeue_${it.database}"]
        } if can(it.database)
      },
      {
        # To add a role later: whoever created the others is a member of rds_iam, and RDS refuses his password.
        for sid in ["ConnectAsAdministrator"] : sid => {
          actions   = ["rds-db:connect"]
          resources = ["${local.arn}:rds-db:${local.where}:dbuser:${var.database.resource_id}/administrator"]
        } if try(it.database, "") == "owner"
      },
      {
        for sid in ["ReadDatabaseSecret"] : sid => {
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [var.database.secret_arn]
        } if try(it.database, "") == "owner"
      },
      {
        for sid in ["DecryptDatabaseSecret"] : sid => {
          actions   = ["kms:Decrypt"]
          resources = [var.database.secret_key_arn]
        } if try(it.database, "") == "owner" && try(var.database.secret_key_arn, null) != null
      },
    )
  }
}
