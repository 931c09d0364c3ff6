variable "region" {
  description = "Region of the state and the deployments."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region of AWS, such as us-east-1."
  }
}

variable "state_bucket" {
  description = "Name of the state bucket; null for one derived from the account id and the region."
  type        = string
  default     = null
}

variable "repository" {
  description = "GitHub repository that deploys, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository must be owner/name, without wildcards: every match could deploy."
  }
}

variable "environments" {
  description = "GitHub environments whose jobs may deploy, each to the environment of the same name. Set reviewers and branches in GitHub."
  type        = set(string)
  default     = ["dev", "preview", "prod"]

  validation {
    condition     = length(var.environments) > 0 && alltrue([for env in var.environments : can(regex("^[a-z][a-z0-9-]{0,23}$", env))])
    error_message = "Give at least one environment, in lower-case letters, digits and hyphens."
  }
}
