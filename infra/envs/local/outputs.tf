output "pulsequeue" {
  description = "Everything a person or a tool needs to know."
  value       = module.pulsequeue
}
