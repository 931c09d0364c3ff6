variable "name" {
  description = "Name of the vault and of the plan."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,45}$", var.name))
    error_message = "The name must have 2 to 46 lower-case letters, digits and dashes: it begins the name of a role."
  }
}

variable "resource_arns" {
  description = "ARNs of the tables and the cluster to back up."
  type        = list(string)

  validation {
    condition     = length(var.resource_arns) > 0
    error_message = "Give at least one table or cluster."
  }
}

variable "days" {
  description = "Days that a backup is kept, in each vault."
  type        = number
  default     = 35

  validation {
    condition     = var.days >= 1 && floor(var.days) == var.days
    error_message = "days must be a whole number, at least 1."
  }
}

variable "copy_to_vault_arn" {
  description = "ARN of a vault in another account or region that gets a copy of each backup; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.copy_to_vault_arn == null ? true : can(regex("^arn:[a-z-]+:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:", var.copy_to_vault_arn))
    error_message = "Give the ARN of a backup vault."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the role (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}
