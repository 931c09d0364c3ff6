output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Private subnets, for functions that use the database; one in each zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "isolated_subnet_ids" {
  description = "Isolated subnets of the database, without a route out; one in each zone."
  value       = [for zone in local.zones : aws_subnet.isolated[zone].id]
}

output "public_subnet_ids" {
  description = "Public subnets; empty without public_subnets or nat."
  value       = [for zone in local.zones : aws_subnet.public[zone].id if contains(keys(local.public), zone)]
}

output "function_security_group_id" {
  description = "Security group for functions that use the database."
  value       = aws_security_group.functions.id
}

output "endpoints_security_group_id" {
  description = "Security group of the interface endpoints. Their DNS names apply to the whole VPC, so other callers of these services inside it have to be admitted."
  value       = aws_security_group.endpoints.id
}

output "database_security_group_id" {
  description = "Security group of the database and its proxy."
  value       = aws_security_group.database.id
}
