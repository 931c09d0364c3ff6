variable "name" {
  description = "Name of the pool."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@ -]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits and signs of `+=,.@-`."
  }
}

variable "groups" {
  description = "Groups of users, with a description of each."
  type        = map(string)
  default = {
    admin  = "May do everything."
    editor = "May look at everything and change what is shown."
    viewer = "May look."
  }

  validation {
    condition     = length(var.groups) > 0
    error_message = "Give at least one group; users without a group have no permissions."
  }
}

variable "token_minutes" {
  description = "Validity of id and access tokens, in minutes."
  type        = number
  default     = 60

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
