output "arn" {
  description = "The schedule."
  value       = aws_scheduler_schedule.this.arn
}
