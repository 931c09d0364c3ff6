output "url" {
  description = "Address of the console."
  value       = "https://${coalesce(one(var.domain[*].name), aws_cloudfront_distribution.this.domain_name)}"
}

output "domain_name" {
  description = "CloudFront's name of the distribution, for the DNS record of one's own domain."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "distribution_id" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "ARN of the distribution."
  value       = aws_cloudfront_distribution.this.arn
}

output "bucket" {
  description = "Bucket of the pages."
  value       = { name = module.bucket.name, arn = module.bucket.arn }
}
