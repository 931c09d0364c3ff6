output "arn" {
  description = "ARN of the parameter."
  value       = aws_ssm_parameter.this.arn
}

output "name" {
  description = "Its name."
  value       = aws_ssm_parameter.this.name
}
