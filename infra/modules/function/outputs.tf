output "arn" {
  description = "The live version of the function, once it has all its rights: what is to be called."
  value       = aws_lambda_alias.live.arn
}

output "alias" {
  description = "The live version's name."
  value       = aws_lambda_alias.live.name
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
