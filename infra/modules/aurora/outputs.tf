output "host" {
  description = "Host that functions connect to."
  value       = var.endpoint == "proxy" ? aws_cloudformation_stack.proxy["this"].outputs["Endpoint"] : aws_rds_cluster.this.endpoint
}

output "port" {
  description = "Port of the host."
  value       = local.port
}

output "name" {
  description = "The database's name."
  value       = aws_rds_cluster.this.database_name
}

output "sslmode" {
  description = "sslmode for clients with the usual certificate authorities."
  # The proxy's certificate is from Amazon Trust Services, the cluster's from RDS's own authority.
  value = var.endpoint == "proxy" ? "verify-full" : "require"
}

output "resource_id" {
  description = "Resource id in rds-db:connect permissions: that of the proxy or of the cluster."
  value       = var.endpoint == "proxy" ? local.proxy_id : aws_rds_cluster.this.cluster_resource_id
}

output "secret_arn" {
  description = "ARN of the secret with the administrator's username and password, as JSON. RDS chooses its name; DATABASE_ADMIN_SECRET has to be this ARN."
  value       = local.secret_arn
}

output "cluster_arn" {
  description = "ARN of the cluster, for its backups."
  value       = aws_rds_cluster.this.arn
}

output "cluster_identifier" {
  description = "Identifier of the cluster, for dashboards."
  value       = aws_rds_cluster.this.cluster_identifier
}
