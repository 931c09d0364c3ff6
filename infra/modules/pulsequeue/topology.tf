# infra/functions.yaml and the names derived from it. scripts/environment/topology.py is the same for the tools.
locals {
  # Not CloudFront's own name: it is known after the API, whose authorizer needs the pool, which needs this origin.
  console_url = var.console_domain == null ? var.console_url : "https://${var.console_domain.name}"

  topology = yamldecode(file("${path.module}/../../functions.yaml"))
  settings = local.topology.settings

  prefix       = "${var.environment}-pulsequeue"
  hold_seconds = coalesce(var.hold_seconds, local.settings.holdSeconds)

  # Without a database, functions that need one are left out.
  functions = { for name, it in local.topology.functions : name => it if var.database != null || !can(it.database) }

  consumers = { for name, it in local.functions : name => it if can(it.subscriptions) || can(it.queue) }
  scheduled = { for name, it in local.functions : name => it if can(it.schedule) }
  endpoints = { for name, it in local.functions : name => it if can(it.routes) }
  triggers  = { for name, it in local.functions : name => it if can(it.userPool) }
  streams   = { for name, it in local.functions : name => it if can(it.stream) }
  sockets   = { for name, it in local.functions : name => it if can(it.socket) }
  others = {
    for name, it in local.functions : name => it
    if !can(it.subscriptions) && !can(it.queue) && !can(it.userPool) && !can(it.stream)
  }

  # Those that a function uses.
  buckets = {
    for name, it in local.topology.buckets : name => it
    if anytrue([for function in values(local.functions) : contains(keys(try(function.buckets, {})), name)])
  }
  bucket_names = { for name, it in local.buckets : name => "${local.prefix}-${name}-${data.aws_caller_identity.this.account_id}" }
  notified     = { for name, it in local.buckets : it.notifies => name if can(it.notifies) }

  secrets = toset(flatten([for it in values(local.functions) : try(it.secrets, [])]))

  packages = { for name, it in local.functions : name => "${var.package_folder}/${split(".", it.handler)[1]}.zip" }

  networks = {
    for name, it in local.functions : name =>
    can(it.database) && length(try(var.database.subnet_ids, [])) > 0 ? {
      subnet_ids         = var.database.subnet_ids
      security_group_ids = var.database.security_group_ids
    } : null
  }
}
