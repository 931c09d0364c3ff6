variable "name" {
  description = "Name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "The name must have 3 to 255 letters, digits, dots, dashes and underscores."
  }
}

variable "key" {
  description = "Partition key, a string attribute."
  type        = string

  validation {
    condition     = length(var.key) > 0
    error_message = "key must not be empty."
  }
}

variable "sort" {
  description = "Sort key, a string attribute; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.sort == null ? true : length(var.sort) > 0
    error_message = "sort must not be empty."
  }
}

variable "stream" {
  description = "Whether changes are published to a stream, with the item before and after."
  type        = bool
  default     = false
}

variable "ttl" {
  description = "Attribute with the expiry time (epoch seconds) of an item; null for no expiry."
  type        = string
  default     = null
}

variable "protected" {
  description = "Whether it is protected from deletion."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "ARN of the KMS key that encrypts the table; null for the AWS managed key."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "Give the ARN of the key."
  }
}

variable "restore" {
  description = "Table to make this one from when it is created, by point-in-time recovery, and the time (RFC 3339; null for the latest); null for an empty table."
  type = object({
    source = string
    at     = optional(string)
  })
  default = null

  validation {
    condition     = try(var.restore.at, null) == null ? true : can(timeadd(var.restore.at, "0s"))
    error_message = "Give the time as 2026-01-31T12:00:00Z."
  }

  validation {
    condition     = var.restore == null ? true : var.restore.source != var.name
    error_message = "A table cannot be made from one of its own name: restore that with `pulsequeue backup restore`."
  }
}
