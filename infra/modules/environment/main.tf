# One environment on AWS: PulseQueue, the network and database of the read side, notifications of alarms, a budget, and
# monitoring.
data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}

locals {
  prefix = "${var.environment}-pulsequeue"

  # Each environment of infra/bootstrap has a boundary; previews share one.
  boundary_name = "pulsequeue-boundary-${startswith(var.environment, "preview-") ? "preview" : var.environment}"
  boundary_arn = coalesce(
    var.permissions_boundary_arn,
    "arn:${data.aws_partition.this.partition}:iam::${data.aws_caller_identity.this.account_id}:policy/${local.boundary_name}",
  )

  # With a zone of Route 53 the certificate is made here.
  console_domain = var.domain == null ? var.console_domain : module.dns["this"].console_domain
  # By name; null ones are left out.
  client_ids = { for name, it in { google = var.sign_in_with.google_client_id, github = var.sign_in_with.github_client_id } : name => it if it != null }

  runbooks = "https://github.com/${var.repository}/blob/main/docs/runbooks"
}

# An operator puts them there: they come from the pages of Google and GitHub.
data "aws_ssm_parameter" "client_secret" {
  for_each = toset([for name, it in local.client_ids : name])

  name = "/${local.prefix}/${each.key}-client-secret"
}

# Only the database and monitoring need a VPC.
module "network" {
  source   = "../network"
  for_each = var.database != null ? toset(["this"]) : var.monitoring != null ? toset(["this"]) : toset([])

  permissions_boundary_arn = local.boundary_arn
  prefix                   = local.prefix
  zones                    = var.zones
  nat                      = var.monitoring != null # for the images of Prometheus and Grafana, and to scrape the API
  public_subnets           = try(!var.monitoring.internal, false)
}

module "alarms" {
  source = "../alarms"

  permissions_boundary_arn = local.boundary_arn
  prefix                   = local.prefix
  emails                   = var.notify.emails
  webhooks                 = var.notify.webhooks
  slack                    = var.notify.slack

  objectives = {
    settled-in-time = {
      description = "99 % of orders are settled within 5 seconds."
      objective   = 0.99
      all         = [{ metric = "order_settlement_duration_seconds", statistic = "SampleCount" }]
      # Each observation counts in one bucket (services/shared/histogram_buckets.py).
      good = [
        for le in ["0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2", "5"] :
        { metric = "order_settlement_duration_seconds_bucket", dimensions = { le = le } }
      ]
      runbook = "${local.runbooks}/orders-settled-late.md"
    }
  }
}

module "database" {
  source   = "../aurora"
  for_each = var.database != null ? toset(["this"]) : toset([])

  permissions_boundary_arn = local.boundary_arn
  prefix                   = local.prefix
  capacity                 = var.database.capacity
  instances                = var.database.instances
  endpoint                 = var.database.endpoint
  backup_days              = var.database.backup_days
  engine_version           = var.database.engine_version
  restore                  = var.restore.database
  subnet_ids               = module.network["this"].isolated_subnet_ids
  security_group_id        = module.network["this"].database_security_group_id
  protected                = var.protected
  alarm_topic_arns         = [module.alarms.topic_arn]
}

module "pulsequeue" {
  source = "../pulsequeue"

  runbooks_url             = local.runbooks
  permissions_boundary_arn = local.boundary_arn
  environment              = var.environment
  package_folder           = var.package_folder
  protected                = var.protected
  traced                   = var.traced
  cold_starts              = var.cold_starts
  payment_gateway          = var.payment_gateway
  web_origins              = var.web_origins
  console_domain           = local.console_domain
  firewall_arn             = one([for it in module.firewall : it.arn])
  restore                  = var.restore.tables
  alarm_topic_arns         = [module.alarms.topic_arn]

  admins_need_second_factor = var.admins_need_second_factor

  identity_providers = {
    for name, id in local.client_ids : "Google" => { type = "Google", client_id = id, client_secret = data.aws_ssm_parameter.client_secret[name].value } if name == "google"
  }
  github = !can(local.client_ids.github) ? null : { client_id = local.client_ids.github, client_secret = data.aws_ssm_parameter.client_secret["github"].value }

  database = var.database == null ? null : {
    host               = module.database["this"].host
    port               = module.database["this"].port
    name               = module.database["this"].name
    sslmode            = module.database["this"].sslmode
    resource_id        = module.database["this"].resource_id
    secret_arn         = module.database["this"].secret_arn
    secret_name        = module.database["this"].secret_arn
    subnet_ids         = module.network["this"].private_subnet_ids
    security_group_ids = [module.network["this"].function_security_group_id]
  }
}

# Alarms to Slack, Microsoft Teams and webhooks, as `pulsequeue alerts add` says.
resource "aws_sns_topic_subscription" "notify" {
  topic_arn = module.alarms.topic_arn
  protocol  = "lambda"
  endpoint  = module.pulsequeue.notify.alias_arn
}

resource "aws_lambda_permission" "notify" {
  statement_id  = "alarms"
  action        = "lambda:InvokeFunction"
  function_name = module.pulsequeue.notify.name
  qualifier     = module.pulsequeue.notify.alias
  principal     = "sns.amazonaws.com"
  source_arn    = module.alarms.topic_arn
}

# Of what cannot be computed again.
module "backup" {
  source   = "../backup"
  for_each = var.backup == null ? {} : { this = var.backup }

  permissions_boundary_arn = local.boundary_arn
  name                     = local.prefix
  days                     = each.value.days
  copy_to_vault_arn        = each.value.copy_to_vault_arn
  resource_arns            = concat(module.pulsequeue.backed_up_table_arns, [for it in module.database : it.cluster_arn])
}

module "firewall" {
  source    = "../firewall"
  for_each  = var.firewall == null ? {} : { this = var.firewall }
  providers = { aws = aws.us_east_1 }

  name                      = local.prefix
  requests_per_five_minutes = each.value.requests_per_five_minutes
}

module "dns" {
  source    = "../dns"
  for_each  = var.domain == null ? {} : { this = var.domain }
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  zone                = each.value.zone
  console             = each.value.console
  api                 = each.value.api
  distribution_domain = module.pulsequeue.console.domain_name
  api_id              = module.pulsequeue.api_id
}

module "monitoring" {
  source   = "../monitoring"
  for_each = var.monitoring == null ? {} : { this = var.monitoring }

  runbooks_url             = local.runbooks
  permissions_boundary_arn = local.boundary_arn
  prefix                   = local.prefix
  files                    = "${path.module}/../../../monitoring"
  metrics_host             = split("/", trimprefix(module.pulsequeue.metrics_url, "https://"))[0]
  metrics_token_parameter  = "/${local.prefix}/metrics-token"
  hostname                 = each.value.hostname
  certificate_arn          = each.value.certificate_arn
  protected                = var.protected
  alarms                   = { topic_arn = module.alarms.topic_arn, key_arn = module.alarms.key_arn }
  reach                    = { internal = each.value.internal, cidrs = each.value.cidrs }

  network = {
    vpc_id                      = module.network["this"].vpc_id
    task_subnet_ids             = module.network["this"].private_subnet_ids
    load_balancer_subnet_ids    = each.value.internal ? module.network["this"].private_subnet_ids : module.network["this"].public_subnet_ids
    endpoints_security_group_id = module.network["this"].endpoints_security_group_id
  }
}

module "budget" {
  source = "../budget"

  prefix      = local.prefix
  monthly_usd = var.monthly_usd
  emails      = tolist(var.notify.emails)
  topic_arn   = module.alarms.topic_arn
  tag         = { key = "environment", value = var.environment }
}
