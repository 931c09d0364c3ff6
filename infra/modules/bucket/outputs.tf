output "name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.id
  # Known only once the bucket is encrypted, versioned and private, so that no object is written before.
  depends_on = [
    aws_s3_bucket_policy.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.this.arn
}
