output "pulsequeue" {
  description = "Outputs of the environment."
  value       = module.pulsequeue
}
