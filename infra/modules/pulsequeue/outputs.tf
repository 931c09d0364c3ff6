output "api_url" {
  description = "URL of the API."
  value       = module.api.url
}

output "api_id" {
  description = "The HTTP API."
  value       = module.api.id
}

output "console" {
  description = "The console: its address, CloudFront's name for it, its distribution and its bucket."
  value = {
    url             = module.site.url
    domain_name     = module.site.domain_name
    distribution_id = module.site.distribution_id
    bucket          = module.site.bucket.name
  }
}

output "metrics_url" {
  description = "URL of the metrics endpoint."
  value       = "${module.api.url}/metrics"
}

output "bus" {
  description = "Name of the event bus."
  value       = { name = module.bus.name, arn = module.bus.arn }
}

output "tables" {
  description = "Full table names, by short name."
  value       = { for name, it in module.table : name => it.name }
}

output "backed_up_table_arns" {
  description = "ARNs of the tables whose items cannot be computed again: all but those of the metrics."
  value       = [for name, it in module.table : it.arn if name != "metrics"]
}

output "functions" {
  description = "Function ARNs, by short name."
  value = merge(
    { for name, it in module.consumer : name => it.function_arn },
    { for name, it in module.stream_consumer : name => it.function_arn },
    { for name, it in module.function : name => it.arn },
    { for name, it in module.pool_trigger : name => it.arn },
  )
}

output "dead_letter_queue_urls" {
  description = "URLs of the dead-letter queues, by short function name."
  value       = { for name, it in module.consumer : name => it.dead_letter_queue_url }
}

output "dead_letter_queue_arns" {
  description = "ARNs of the dead-letter queues, by short function name."
  value       = { for name, it in module.consumer : name => it.dead_letter_queue_arn }
}

output "sends_to" {
  description = "ARNs of the queues that a function sends its own messages to, by its short name."
  value = {
    for name, it in local.functions : name => [for other in it.sendsTo : "${local.arn}:sqs:${local.where}:${local.prefix}-${other}"]
    if can(it.sendsTo)
  }
}

output "alarm_arns" {
  description = "ARNs of the alarms on dead-letter queues."
  value       = [for it in values(module.consumer) : it.alarm_arn]
}

output "users" {
  description = "User pool whose tokens the API accepts."
  value       = { pool_id = module.users.id, client_id = module.users.client_id, issuer = module.users.issuer, identity_providers = module.users.session.identity_providers }
}

output "notify" {
  description = "Function that sends alarms to Slack, Microsoft Teams and webhooks, for the topic of alarms to invoke."
  value = {
    name      = module.function["notify"].name
    alias     = module.function["notify"].alias
    alias_arn = module.function["notify"].arn
  }
}

output "permissions" {
  description = "Permissions of each function by short name, beyond logging, tracing and its own queue."
  value       = local.permissions
}

output "verify_policy_arn" {
  description = "ARN of the policy that allows running `pulsequeue verify`."
  value       = aws_iam_policy.verify.arn
}
