variable "name" {
  description = "Name of the pool."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@ -]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits and signs of `+=,.@-`."
  }
}

variable "claims" {
  description = "Function that sets the claims of tokens: its name, alias and alias ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })

  validation {
    condition     = can(regex("^arn:[^:]+:lambda:", var.claims.arn))
    error_message = "Give the ARN of the function's alias."
  }
}

variable "token_minutes" {
  description = "Validity of id and access tokens, in minutes."
  type        = number
  default     = 5

  validation {
    condition     = var.token_minutes >= 5 && var.token_minutes <= 1440
    error_message = "token_minutes must be 5 to 1,440."
  }
}

variable "protected" {
  description = "Whether it is protected from deletion."
  type        = bool
  default     = true
}
