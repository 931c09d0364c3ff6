variable "name" {
  description = "Full name of the parameter, a path."
  type        = string

  validation {
    condition     = can(regex("^(/[a-zA-Z0-9_.-]+)+$", var.name))
    error_message = "The name must be a path such as /dev-pulsequeue/metrics-token."
  }
}

variable "description" {
  description = "What the secret is for."
  type        = string
}

variable "length" {
  description = "How many characters are made up."
  type        = number
  default     = 43

  validation {
    condition     = var.length >= 32 && var.length <= 512
    error_message = "A secret has 32 to 512 characters."
  }
}

variable "edition" {
  description = "Raise it to have another value made up."
  type        = number
  default     = 1

  validation {
    condition     = var.edition >= 1 && floor(var.edition) == var.edition
    error_message = "Editions are counted from 1."
  }
}
