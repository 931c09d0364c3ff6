variable "name" {
  description = "Full name of the table."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{3,255}$", var.name))
    error_message = "A table's name has 3 to 255 letters, digits, dots, dashes and underscores."
  }
}

variable "key" {
  description = "The attribute, a string, that items are found by."
  type        = string

  validation {
    condition     = length(var.key) > 0
    error_message = "A table needs a key."
  }
}

variable "ttl" {
  description = "The attribute with the second after which an item may be deleted; null to keep all."
  type        = string
  default     = null
}

variable "protected" {
  description = "Whether it refuses to be deleted."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The key it is encrypted by; null for the account's own one for DynamoDB."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:", var.kms_key_arn))
    error_message = "The key must be given by its ARN."
  }
}
