output "topic_arn" {
  description = "The topic that tells whoever is to be told."
  value       = aws_sns_topic.this.arn
  # Whoever is told of the topic may use it already.
  depends_on = [aws_sns_topic_policy.this]
}
