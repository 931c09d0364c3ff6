output "environment" {
  description = "Everything a person or a tool needs to know."
  value       = module.environment
}
