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

output "domain_name" {
  description = "Domain of the bucket in its region, for a distribution."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}

output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.this.arn
}
