variable "name" {
  description = "Name of the bucket, globally unique."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "The name must have 3 to 63 lower-case letters, digits and hyphens; dots would break its TLS certificate."
  }
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts objects; null for S3's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "Give the ARN of the key; an alias can change to another key."
  }
}

variable "protected" {
  description = "Whether the bucket cannot be deleted while it holds objects."
  type        = bool
  default     = true
}

variable "noncurrent_days" {
  description = "Days that overwritten and deleted objects can be restored."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "noncurrent_days must be at least 1."
  }
}

variable "expire_days" {
  description = "Days after which objects are deleted; null for never."
  type        = number
  default     = null

  validation {
    condition     = var.expire_days == null || try(var.expire_days >= 1, false)
    error_message = "expire_days must be at least 1."
  }
}

variable "log_bucket" {
  description = "Name of the bucket that receives access logs, under the name of this one; null for no access logs."
  type        = string
  default     = null
}

variable "distribution_arn" {
  description = "ARN of the CloudFront distribution that may read objects; null for none."
  type        = string
  default     = null
}

variable "upload_origins" {
  description = "Origins of web pages that may post files by signed forms (CORS); none by default."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for it in var.upload_origins : can(regex("^https?://[^/*]+$", it))])
    error_message = "Origins are a scheme, a host and possibly a port, without a path or a wildcard."
  }
}

variable "tls_only" {
  description = "Whether requests without TLS are denied; false for an emulator, which has no TLS."
  type        = bool
  default     = true
}
