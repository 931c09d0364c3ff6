variable "region" {
  description = "The AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is named as in eu-west-1."
  }
}

variable "package_folder" {
  description = "Where `make package` has put the zips."
  type        = string
  default     = "../../../build"
}

variable "told" {
  description = "Who is told of alarms and of money."
  type = object({
    emails   = optional(set(string), [])
    webhooks = optional(set(string), [])
    slack    = optional(object({ workspace_id = string, channel_id = string }))
  })
}

variable "monitoring" {
  description = "Under which name Grafana is reached, by which certificate, and from which addresses; null where somebody scrapes from elsewhere."
  type = object({
    hostname        = string
    certificate_arn = string
    internal        = optional(bool, true)
    cidrs           = set(string)
  })
  default = null
}

variable "repository" {
  description = "The repository on GitHub, owner/name, whose runbooks alarms link to."
  type        = string
}

variable "environment" {
  description = "Name of the environment; another one than dev for a preview."
  type        = string
  default     = "dev"

  validation {
    condition     = var.environment != "prod"
    error_message = "prod has its own folder, and other values."
  }
}
