variable "region" {
  description = "Region of the state and the deployments."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region of AWS, such as us-east-1."
  }
}

variable "replica_region" {
  description = "Region that gets a copy of the state; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.replica_region == null ? true : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.replica_region)) && var.replica_region != var.region
    error_message = "Give another region of AWS than that of the state."
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
    error_message = "The repository must be owner/name, without wildcards: every match could deploy. Ids go into repository_ids."
  }
}

variable "repository_ids" {
  description = "GitHub's ids of the owner and of the repository, which are part of the subject of repositories created or renamed since 15 July 2026 (README.md); null for an older repository."
  type        = object({ owner = number, repository = number })
  default     = null

  validation {
    condition     = var.repository_ids == null ? true : alltrue([for id in values(var.repository_ids) : id > 0 && floor(id) == id])
    error_message = "An id is a positive whole number; `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints both."
  }
}

variable "environments" {
  description = "GitHub environments whose jobs may deploy, each to the environment of the same name. Set reviewers and branches in GitHub. Previews (`preview`) run code of pull requests: in an account of their own, where there is one."
  type        = set(string)
  default     = ["dev", "prod"]
  nullable    = false

  validation {
    condition     = length(var.environments) > 0 && alltrue([for env in var.environments : can(regex("^[a-z][a-z0-9-]{0,23}$", env))])
    error_message = "Give at least one environment, in lower-case letters, digits and hyphens."
  }
}
