output "api_url" {
  description = "URL of the API: its own name with `domain`, otherwise that of API Gateway."
  value       = coalesce(one([for it in module.dns : it.api_url]), module.pulsequeue.api_url)
}

output "console" {
  description = "The console: its address, CloudFront's name for it, its distribution and its bucket."
  value       = module.pulsequeue.console
}

output "metrics_url" {
  description = "URL of the metrics endpoint."
  value       = module.pulsequeue.metrics_url
}

output "bus" {
  description = "Name of the event bus."
  value       = module.pulsequeue.bus
}

output "tables" {
  description = "Full table names, by short name."
  value       = module.pulsequeue.tables
}

output "users" {
  description = "User pool whose tokens the API accepts."
  value       = module.pulsequeue.users
}

output "database" {
  description = "Host, port and administrator's secret of the database; null without a read side."
  value       = one([for it in module.database : { host = it.host, port = it.port, secret_arn = it.secret_arn }])
}

output "grafana_url" {
  description = "URL of Grafana; null without monitoring."
  value       = one([for it in module.monitoring : it.grafana_url])
}

output "grafana_access_instructions" {
  description = "Steps to sign in to Grafana; null without monitoring."
  value = coalesce(
    one([for it in module.monitoring : it.grafana_access_instructions]),
    "Nothing watches here. Have a Prometheus scrape ${module.pulsequeue.metrics_url} with the token in /${local.prefix}/metrics-token, then run: pulsequeue --env ${var.environment} grafana setup GRAFANA_URL USER - PROMETHEUS_URL",
  )
}

output "verify_policy_arn" {
  description = "ARN of the policy that allows running `pulsequeue verify`."
  value       = module.pulsequeue.verify_policy_arn
}
