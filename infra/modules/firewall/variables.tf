variable "name" {
  description = "Name of the firewall and of its log."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,90}$", var.name))
    error_message = "The name must have 1 to 90 letters, digits and dashes."
  }
}

variable "requests_per_five_minutes" {
  description = "Requests of one address in five minutes; further ones get 429."
  type        = number
  default     = 2000

  validation {
    condition     = var.requests_per_five_minutes >= 100 && var.requests_per_five_minutes <= 2000000
    error_message = "requests_per_five_minutes must be 100 to 2,000,000."
  }
}

variable "log_days" {
  description = "Retention of the log of refused requests, in days."
  type        = number
  default     = 30
}
