output "arn" {
  description = "The bus."
  value       = aws_cloudwatch_event_bus.this.arn
}

output "name" {
  description = "Its name."
  value       = aws_cloudwatch_event_bus.this.name
}

output "archive_arn" {
  description = "What a replay starts from."
  value       = aws_cloudwatch_event_archive.this.arn
}
