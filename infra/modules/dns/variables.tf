variable "zone" {
  description = "Public hosted zone of Route 53 that both names are in, such as example.com. It has to exist."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.zone))
    error_message = "Give the name of a zone, such as example.com."
  }
}

variable "console" {
  description = "Name of the console, such as console.example.com."
  type        = string

  validation {
    condition     = var.console == var.zone || endswith(var.console, ".${var.zone}")
    error_message = "The console's name must be the zone's, or below it."
  }
}

variable "api" {
  description = "Name of the API, such as api.example.com."
  type        = string

  validation {
    condition     = endswith(var.api, ".${var.zone}") && var.api != var.console
    error_message = "The API's name must be below the zone's, and not the console's."
  }
}

variable "distribution_domain" {
  description = "CloudFront's name of the console's distribution."
  type        = string
}

variable "api_id" {
  description = "The HTTP API."
  type        = string
}
