output "api_url" {
  description = "Where users ask."
  value       = module.pulsequeue.api_url
}

output "metrics_url" {
  description = "What Prometheus scrapes."
  value       = module.pulsequeue.metrics_url
}

output "bus" {
  description = "Where events are published."
  value       = module.pulsequeue.bus
}

output "tables" {
  description = "The tables' full names, by short name."
  value       = module.pulsequeue.tables
}

output "users" {
  description = "Whose tokens the API takes."
  value       = module.pulsequeue.users
}

output "database" {
  description = "Where the read side's database is, and the secret of who administers it; null without a read side."
  value       = one([for it in module.database : { host = it.host, port = it.port, secret_arn = it.secret_arn }])
}

output "grafana_url" {
  description = "Where Grafana is; null without monitoring."
  value       = one([for it in module.monitoring : it.grafana_url])
}

output "grafana_access_instructions" {
  description = "How to get into Grafana."
  value = coalesce(
    one([for it in module.monitoring : it.grafana_access_instructions]),
    "Nothing watches here. Have a Prometheus scrape ${module.pulsequeue.metrics_url} with the token in /${local.prefix}/metrics-token, then run: pulsequeue --env ${var.environment} grafana setup GRAFANA_URL USER - PROMETHEUS_URL",
  )
}

output "verify_policy_arn" {
  description = "The policy of whoever shall be able to run `pulsequeue verify`."
  value       = module.pulsequeue.verify_policy_arn
}
