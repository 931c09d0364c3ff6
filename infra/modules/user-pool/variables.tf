variable "name" {
  description = "Name of the pool."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@ -]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits and signs of `+=,.@-`."
  }
}

variable "groups" {
  description = "What each group of users may do."
  type        = map(string)
  default = {
    admin  = "May do everything."
    editor = "May look at everything and change what is shown."
    viewer = "May look."
  }

  validation {
    condition     = length(var.groups) > 0
    error_message = "A pool without groups lets nobody do anything."
  }
}

variable "token_minutes" {
  description = "How long somebody stays signed in without a refresh."
  type        = number
  default     = 60

  validation {
    condition     = var.token_minutes >= 5 && var.token_minutes <= 1440
    error_message = "Cognito's tokens hold for 5 minutes to a day."
  }
}

variable "protected" {
  description = "Whether it refuses to be deleted."
  type        = bool
  default     = true
}
