variable "name" {
  description = "The bucket's name, which has to be unique among everybody's."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket's name has 3 to 63 lower-case letters, digits and hyphens. Dots would break its TLS certificate."
  }
}

variable "kms_key_arn" {
  description = "The KMS key that objects are encrypted with; without one they are by S3's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "The key is named by its ARN: an alias could come to mean another key."
  }
}

variable "protected" {
  description = "Whether the bucket refuses to be deleted while there is anything in it."
  type        = bool
  default     = true
}

variable "noncurrent_days" {
  description = "How long what was overwritten or deleted can be brought back."
  type        = number
  default     = 90

  validation {
    condition     = var.noncurrent_days >= 1
    error_message = "Earlier versions are kept for at least a day."
  }
}

variable "expire_days" {
  description = "After how many days objects are deleted; never, if null."
  type        = number
  default     = null

  validation {
    condition     = var.expire_days == null || try(var.expire_days >= 1, false)
    error_message = "Objects are kept for at least a day."
  }
}

variable "log_bucket" {
  description = "The bucket that is told of every access, under the name of this one; without it nobody is."
  type        = string
  default     = null
}
