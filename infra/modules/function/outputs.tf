output "arn" {
  description = "ARN of the alias `live`, once the function has all its permissions. Callers invoke this."
  value       = aws_lambda_alias.live.arn
}

output "alias" {
  description = "Name of the alias."
  value       = aws_lambda_alias.live.name
}

output "name" {
  description = "Its name."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "ARN of the function's role."
  value       = aws_iam_role.this.arn
}

output "log_group" {
  description = "Name of the log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "policy" {
  description = "Policy of the role, as JSON."
  value       = aws_iam_role_policy.this.policy
}
