output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Where functions that reach the database run, one subnet in each zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "isolated_subnet_ids" {
  description = "Where the database is, one subnet in each zone, none with a way out."
  value       = [for zone in local.zones : aws_subnet.isolated[zone].id]
}

output "public_subnet_ids" {
  description = "Where the internet can reach a load balancer; empty unless public subnets or NAT were asked for."
  value       = [for zone in local.zones : aws_subnet.public[zone].id if contains(keys(local.public), zone)]
}

output "function_security_group_id" {
  description = "The security group for functions that reach the database."
  value       = aws_security_group.functions.id
}

output "endpoints_security_group_id" {
  description = "The security group of the interface endpoints. Their names are known in the whole network, so whatever else calls these services from there has to be let in."
  value       = aws_security_group.endpoints.id
}

output "database_security_group_id" {
  description = "The security group of the database and its proxy."
  value       = aws_security_group.database.id
}
