variable "name" {
  description = "Name of the SSM parameter, a path."
  type        = string

  validation {
    condition     = can(regex("^(/[a-zA-Z0-9_.-]+)+$", var.name))
    error_message = "The name must be a path such as /dev-pulsequeue/metrics-token."
  }
}

variable "description" {
  description = "Purpose of the secret."
  type        = string
}

variable "length" {
  description = "Number of characters to generate."
  type        = number
  default     = 43

  validation {
    condition     = var.length >= 32 && var.length <= 512
    error_message = "length must be 32 to 512."
  }
}

variable "edition" {
  description = "Increase it to generate a new value."
  type        = number
  default     = 1

  validation {
    condition     = var.edition >= 1 && floor(var.edition) == var.edition
    error_message = "edition must be at least 1."
  }
}
