# What each function may do. It follows from what infra/functions.yaml says that it uses, and from the calls that
# services/ makes for it: nothing is granted that nobody calls.
locals {
  where = "${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"
  arn   = "arn:${data.aws_partition.this.partition}"

  # services/shared/adapters/dynamodb_store.py reads both tables in batches, adds to stock, and puts orders; a transaction
  # asks for the right to each of its actions. services/metrics/adapters/dynamodb_snapshots.py keeps editions.
  calls = {
    inventory = { read = ["dynamodb:BatchGetItem"], write = ["dynamodb:UpdateItem"] }
    orders    = { read = ["dynamodb:BatchGetItem"], write = ["dynamodb:PutItem"] }
    metrics   = { read = ["dynamodb:GetItem"], write = ["dynamodb:DeleteItem", "dynamodb:PutItem"] }
  }

  rights = {
    for name, it in local.functions : name => merge(
      {
        for table, rights in try(it.tables, {}) : "Use${title(table)}" => {
          actions   = sort(flatten([for right in rights : local.calls[table][right]]))
          resources = [module.table[table].arn]
        }
      },
      {
        for secret in try(it.secrets, []) : "Read${replace(title(replace(secret, "-", " ")), " ", "")}" => {
          actions   = ["ssm:GetParameter"]
          resources = [module.secret[secret].arn]
        }
      },
      {
        for said in ["Publish"] : said => {
          actions   = ["events:PutEvents"]
          resources = [module.bus.arn]
        } if try(it.publishes, false)
      },
      {
        for said in ["ReadMetrics"] : said => {
          actions = ["cloudwatch:GetMetricData"]
          # Wildcard: CloudWatch has no resources to name.
          resources = ["*"]
        } if try(it.readsMetrics, false)
      },
      {
        for said in ["ConnectToDatabase"] : said => {
          actions   = ["rds-db:connect"]
          resources = ["${local.arn}:rds-db:${local.where}:dbuser:${var.database.resource_id}/pulsequeue_${it.database}"]
        } if can(it.database)
      },
      {
        for said in ["ReadDatabaseSecret"] : said => {
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [var.database.secret_arn]
        } if try(it.database, "") == "owner"
      },
      {
        for said in ["DecryptDatabaseSecret"] : said => {
          actions   = ["kms:Decrypt"]
          resources = [var.database.secret_key_arn]
        } if try(it.database, "") == "owner" && try(var.database.secret_key_arn, null) != null
      },
    )
  }
}
