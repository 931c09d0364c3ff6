output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "name" {
  description = "Its name."
  value       = aws_dynamodb_table.this.name
}
