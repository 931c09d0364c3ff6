resource "aws_s3_bucket_policy" "this" {
  # The emulator has no TLS, and enforces a policy that requires it.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([for it in var.distribution_arn[*] : {
      Sid       = "Distribution"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${local.arn}/*"
      Condition = { StringEquals = { "AWS:SourceArn" = it } }
    }], [for it in local.tls : it if it.Sid == "RequireTls12"])
  })
}
