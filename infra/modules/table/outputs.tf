output "arn" {
  description = "ARN of the table."
  value       = aws_dynamodb_table.this.arn
}

output "stream_arn" {
  description = "ARN of its stream; empty without one."
  value       = aws_dynamodb_table.this.stream_arn
}

output "name" {
  description = "Its name."
  value       = aws_dynamodb_table.this.name
}
