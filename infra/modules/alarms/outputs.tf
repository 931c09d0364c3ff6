output "key_arn" {
  description = "ARN of the KMS key that encrypts the topic."
  value       = aws_kms_key.this.arn
}

output "topic_arn" {
  description = "ARN of the SNS topic that notifies the subscribers."
  value       = aws_sns_topic.this.arn
  # Known only once the topic's policy is in place.
  depends_on = [aws_sns_topic_policy.this]
}
