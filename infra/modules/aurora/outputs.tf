output "host" {
  description = "Where functions connect to."
  value       = var.way_in == "proxy" ? aws_cloudformation_stack.proxy["this"].outputs["Endpoint"] : aws_rds_cluster.this.endpoint
}

output "port" {
  description = "The port there."
  value       = local.port
}

output "name" {
  description = "The database's name."
  value       = aws_rds_cluster.this.database_name
}

output "sslmode" {
  description = "How far a client can verify whom it talks to, given the authorities that every system trusts."
  # The proxy's certificate is Amazon Trust Services', the cluster's is of RDS's own authority.
  value = var.way_in == "proxy" ? "verify-full" : "require"
}

output "resource_id" {
  description = "What rights to connect (rds-db:connect) are granted on: the proxy, or the cluster."
  value       = var.way_in == "proxy" ? local.proxy_id : aws_rds_cluster.this.cluster_resource_id
}

output "secret_arn" {
  description = "The secret with the administrator's username and password, as JSON. RDS names it, so DATABASE_ADMIN_SECRET has to be this."
  value       = local.secret_arn
}

output "cluster_identifier" {
  description = "The cluster's name, for dashboards."
  value       = aws_rds_cluster.this.cluster_identifier
}
