data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

module "bus" {
  source = "../event-bus"

  name         = local.prefix
  archive_days = local.settings.archiveDays
}

module "table" {
  source   = "../table"
  for_each = local.topology.tables

  name      = "${local.prefix}-${each.key}"
  key       = each.value.key
  sort      = try(each.value.sort, null)
  ttl       = try(each.value.ttl, null)
  stream    = try(each.value.stream, false)
  protected = var.protected
  restore   = try(var.restore[each.key], null)
}

module "bucket" {
  source   = "../bucket"
  for_each = local.buckets

  name            = local.bucket_names[each.key]
  protected       = var.protected
  noncurrent_days = 30
  expire_days     = try(each.value.expireDays, null)
  tls_only        = var.tls_only
  # Pages upload by signed forms. Without `distinct`: CloudFront's own name is not known before, and a set is made of it.
  upload_origins = can(each.value.notifies) ? concat([module.site.url, local.console_url], var.web_origins) : []
}

# After the queue and its policy: S3 tries at once whether it may send.
resource "aws_s3_bucket_notification" "this" {
  for_each = local.notified

  bucket = module.bucket[each.value].name

  queue {
    queue_arn = module.consumer[each.key].queue_arn
    # Wildcard: a form, a put and an upload in parts.
    events = ["s3:ObjectCreated:*"]
  }
}

module "secret" {
  source   = "../secret"
  for_each = local.secrets

  name        = "/${local.prefix}/${each.key}"
  description = "Secret ${each.key} of ${local.prefix}."
}

module "users" {
  source = "../user-pool"

  name      = local.prefix
  claims    = { name = module.pool_trigger["claims"].name, alias = module.pool_trigger["claims"].alias, arn = module.pool_trigger["claims"].arn }
  protected = var.protected

  console_url        = local.console_url
  identity_providers = local.identity_providers
}

# Functions that the user pool invokes. Apart from the others, which may know the pool.
module "pool_trigger" {
  source   = "../function"
  for_each = local.triggers

  permissions_boundary_arn = var.permissions_boundary_arn
  runbooks_url             = var.runbooks_url
  name                     = "${local.prefix}-${each.key}"
  description              = each.value.description
  handler                  = each.value.handler
  package                  = local.packages[each.key]
  runs_on                  = var.runs_on
  memory_mb                = each.value.memoryMb
  timeout_seconds          = each.value.timeoutSeconds
  environment              = merge(local.variables[each.key], { for variable in ["ADMINS_NEED_SECOND_FACTOR"] : variable => "true" if var.admins_need_second_factor })
  permissions              = local.permissions[each.key]
  log_days                 = local.settings.logDays
  traced                   = var.traced
  cold_starts              = try(var.cold_starts[each.key], {})
  alarm_topic_arns         = var.alarm_topic_arns
}

module "consumer" {
  source   = "../event-consumer"
  for_each = local.consumers

  permissions_boundary_arn = var.permissions_boundary_arn
  runbooks_url             = var.runbooks_url
  name                     = "${local.prefix}-${each.key}"
  bus_name                 = module.bus.name
  subscriptions            = try(each.value.subscriptions, [])
  delay_seconds            = try(each.value.delaySeconds, 0) == "hold" ? local.hold_seconds : try(each.value.delaySeconds, 0)
  max_receives             = try(each.value.queue.maxReceives, local.settings.maxReceives)
  max_wait_seconds         = try(each.value.queue.maxWaitSeconds, 600)
  retention_days           = local.settings.retentionDays
  source_bucket            = try(local.bucket_names[local.notified[each.key]], null)
  alarm_topic_arns         = var.alarm_topic_arns
  tls_only                 = var.tls_only

  batch = {
    size           = each.value.batchSize
    window_seconds = each.value.batchWindowSeconds
    concurrency    = min(each.value.maximumConcurrency, coalesce(var.concurrency_limit, 1000))
  }

  function = {
    description     = each.value.description
    handler         = each.value.handler
    package         = local.packages[each.key]
    runs_on         = var.runs_on
    memory_mb       = each.value.memoryMb
    timeout_seconds = each.value.timeoutSeconds
    # An emulator does not tell the size of a disk.
    scratch_mb  = var.emulator == null ? try(each.value.scratchMb, 512) : 512
    environment = local.variables[each.key]
    permissions = local.permissions[each.key]
    log_days    = local.settings.logDays
    network     = local.networks[each.key]
    traced      = var.traced
    cold_starts = try(var.cold_starts[each.key], {})
  }
}

# Functions with a schedule or routes, and those that operators invoke.
module "function" {
  source   = "../function"
  for_each = local.others

  permissions_boundary_arn = var.permissions_boundary_arn
  runbooks_url             = var.runbooks_url
  name                     = "${local.prefix}-${each.key}"
  description              = each.value.description
  handler                  = each.value.handler
  package                  = local.packages[each.key]
  runs_on                  = var.runs_on
  memory_mb                = each.value.memoryMb
  timeout_seconds          = each.value.timeoutSeconds
  environment              = merge(local.variables[each.key], [for uses, it in local.user_variables : it if try(each.value[uses], false)]...)
  permissions              = merge(local.permissions[each.key], [for uses, it in local.user_permissions : it if try(each.value[uses], false)]...)
  reserved_concurrency     = try(each.value.reservedConcurrency, null)
  log_days                 = local.settings.logDays
  network                  = local.networks[each.key]
  traced                   = var.traced
  cold_starts              = try(var.cold_starts[each.key], {})
  alarm_topic_arns         = var.alarm_topic_arns
}

module "stream_consumer" {
  source   = "../stream-consumer"
  for_each = local.streams

  permissions_boundary_arn = var.permissions_boundary_arn
  runbooks_url             = var.runbooks_url
  partitions               = each.value.partitions
  name                     = "${local.prefix}-${each.key}"
  stream_arn               = module.table[each.value.stream].stream_arn
  batch_size               = each.value.batchSize
  tries                    = each.value.tries
  retention_days           = local.settings.retentionDays
  alarm_topic_arns         = var.alarm_topic_arns

  function = {
    description     = each.value.description
    handler         = each.value.handler
    package         = local.packages[each.key]
    runs_on         = var.runs_on
    memory_mb       = each.value.memoryMb
    timeout_seconds = each.value.timeoutSeconds
    environment     = local.variables[each.key]
    permissions     = local.permissions[each.key]
    log_days        = local.settings.logDays
    traced          = var.traced
    cold_starts     = try(var.cold_starts[each.key], {})
  }
}

# At most one function serves the socket; scripts/environment/topology.py checks it.
module "socket" {
  source   = "../socket-api"
  for_each = local.sockets

  name       = "${local.prefix}-socket"
  routes     = each.value.socket
  log_days   = local.settings.logDays
  function   = { name = module.function[each.key].name, alias = module.function[each.key].alias, arn = module.function[each.key].arn }
  authorizer = { name = module.function[each.value.authorizer].name, alias = module.function[each.value.authorizer].alias, arn = module.function[each.value.authorizer].arn }
}

module "schedule" {
  source   = "../schedule"
  for_each = local.scheduled

  permissions_boundary_arn = var.permissions_boundary_arn
  name                     = "${local.prefix}-${each.key}"
  expression               = each.value.schedule
  function                 = { name = module.function[each.key].name, alias = module.function[each.key].alias, arn = module.function[each.key].arn }
}

module "api" {
  source = "../http-api"

  name        = local.prefix
  web_origins = var.web_origins
  log_days    = local.settings.logDays
  users       = { issuer = module.users.issuer, client_ids = module.users.client_ids }

  runbooks_url     = var.runbooks_url
  alarm_topic_arns = var.alarm_topic_arns

  functions = {
    for name, it in local.endpoints : name => {
      name    = module.function[name].name
      alias   = module.function[name].alias
      arn     = module.function[name].arn
      routes  = it.routes
      callers = try(it.callers, "anyone")

      requests_per_second = try(it.requestsPerSecond, null)
    }
  }
}

# One origin for browsers: the console's pages and the API.
module "site" {
  source = "../site"

  name      = local.prefix
  bucket    = "${local.prefix}-site-${data.aws_caller_identity.this.account_id}"
  domain    = var.console_domain
  protected = var.protected
  tls_only  = var.tls_only
  socket    = one([for it in module.socket : { domain = it.domain }])

  firewall_arn = var.firewall_arn

  # An emulator has one address for all APIs and buckets. By name, since the buckets name this site as an origin.
  upload_addresses = [
    for it in values(local.notified) : var.emulator == null
    ? "https://${local.bucket_names[it]}.s3.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}"
    : "http://${var.emulator.host}:${var.emulator.port}/${local.bucket_names[it]}"
  ]

  api = var.emulator == null ? { domain = module.api.domain, path = "", http_port = 80 } : {
    domain    = var.emulator.host
    path      = "/_aws/execute-api/${module.api.id}/$default"
    http_port = var.emulator.port
  }
}

# The command line logs the actions of operators here.
resource "aws_cloudwatch_log_group" "operations" {
  name              = "/pulsequeue/${var.environment}/operations"
  retention_in_days = local.settings.logDays
}
