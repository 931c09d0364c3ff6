variable "region" {
  description = "The region of the state, and of the deployments."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Name a region as AWS does, as in us-east-1."
  }
}

variable "state_bucket" {
  description = "Name of the bucket for Terraform's state; made from the account's number when it is not given."
  type        = string
  default     = null
}

variable "repository" {
  description = "The GitHub repository that deploys, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository is spelled owner/name, without wildcards: whatever matches may deploy."
  }
}

variable "environments" {
  description = "GitHub environments whose jobs may deploy, each the environment of its own name. Reviewers and branches are set there."
  type        = set(string)
  default     = ["dev", "preview", "prod"]

  validation {
    condition     = length(var.environments) > 0 && alltrue([for env in var.environments : can(regex("^[a-z][a-z0-9-]{0,23}$", env))])
    error_message = "Name at least one environment, in lower case letters, digits and hyphens."
  }
}
