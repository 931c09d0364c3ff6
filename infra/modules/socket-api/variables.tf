variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _-]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits, blanks, dashes and underscores."
  }
}

variable "routes" {
  description = "Routes of the function: $connect, $disconnect, $default, or the `action` of a message."
  type        = list(string)

  validation {
    condition     = contains(var.routes, "$connect") && alltrue([for it in var.routes : can(regex("^(\\$connect|\\$disconnect|\\$default|[a-z][a-zA-Z0-9]{0,31})$", it))])
    error_message = "The routes must include $connect, where callers are admitted, and be names of actions."
  }
}

variable "function" {
  description = "The function that serves all routes: its name, alias, and alias ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })
}

variable "authorizer" {
  description = "The function that admits connections by their ticket: its name, alias, and alias ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })
}

variable "messages_per_second" {
  description = "Sustained messages per second; bursts may be twice as large."
  type        = number
  default     = 200

  validation {
    condition     = var.messages_per_second >= 1
    error_message = "messages_per_second must be at least 1."
  }
}

variable "log_days" {
  description = "Retention of the access log, in days."
  type        = number
  default     = 30
}
