output "environment" {
  description = "Outputs of the environment."
  value       = module.environment
}
