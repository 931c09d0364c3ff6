output "arn" {
  description = "The function, once it has all its rights."
  value       = aws_lambda_function.this.arn
}

output "name" {
  description = "Its name."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "The role it has."
  value       = aws_iam_role.this.arn
}

output "log_group" {
  description = "Where it writes its log."
  value       = aws_cloudwatch_log_group.this.name
}

output "policy" {
  description = "What it may do, as IAM spells it."
  value       = aws_iam_role_policy.this.policy
}
