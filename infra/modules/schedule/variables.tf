variable "name" {
  description = "Name of the schedule."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{1,55}$", var.name))
    error_message = "The name must have 1 to 55 letters, digits, dots, dashes and underscores; the role's name is nine characters longer."
  }
}

variable "expression" {
  description = "Schedule expression, such as `rate(1 minute)`."
  type        = string

  validation {
    condition     = can(regex("^rate\\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\\)$", var.expression))
    error_message = "The expression must be a rate: `rate(1 minute)`, `rate(5 minutes)`."
  }
}

variable "function" {
  description = "Function to invoke: its name, its alias and the alias ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}
