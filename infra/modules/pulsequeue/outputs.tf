output "api_url" {
  description = "Where users ask."
  value       = module.api.url
}

output "api_id" {
  description = "The HTTP API."
  value       = module.api.id
}

output "metrics_url" {
  description = "What Prometheus scrapes."
  value       = "${module.api.url}/metrics"
}

output "bus" {
  description = "Where events are published."
  value       = { name = module.bus.name, arn = module.bus.arn }
}

output "tables" {
  description = "The tables' full names, by short name."
  value       = { for name, it in module.table : name => it.name }
}

output "functions" {
  description = "The functions' ARNs, by short name."
  value = merge(
    { for name, it in module.consumer : name => it.function_arn },
    { for name, it in module.function : name => it.arn },
  )
}

output "dead_letter_queue_urls" {
  description = "Where dead letters are, by the function that could not do them."
  value       = { for name, it in module.consumer : name => it.dead_letter_queue_url }
}

output "dead_letter_queue_arns" {
  description = "The same queues, as IAM names them."
  value       = { for name, it in module.consumer : name => it.dead_letter_queue_arn }
}

output "alarm_arns" {
  description = "The alarms on dead letters."
  value       = [for it in values(module.consumer) : it.alarm_arn]
}

output "users" {
  description = "Whose tokens the API takes."
  value       = { pool_id = module.users.id, client_id = module.users.client_id, issuer = module.users.issuer }
}

output "rights" {
  description = "What each function may do, by short name, beyond logging, tracing and its own queue."
  value       = local.rights
}

output "verify_policy_arn" {
  description = "The policy of whoever shall be able to run `pulsequeue verify`."
  value       = aws_iam_policy.verify.arn
}
