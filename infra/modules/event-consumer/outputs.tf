output "function_arn" {
  description = "The function."
  value       = module.function.arn
}

output "queue_url" {
  description = "Where its messages wait."
  value       = aws_sqs_queue.this.url
}

output "dead_letter_queue_url" {
  description = "Where those are that it could not do."
  value       = aws_sqs_queue.dead_letters.url
}

output "alarm_arn" {
  description = "The alarm on dead letters."
  value       = aws_cloudwatch_metric_alarm.dead_letters.arn
}

output "dead_letter_queue_arn" {
  description = "The queue of what it could not do."
  value       = aws_sqs_queue.dead_letters.arn
}
