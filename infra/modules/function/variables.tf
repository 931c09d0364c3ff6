variable "name" {
  description = "Name of the function and its role."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,63}$", var.name))
    error_message = "The name must have at most 64 lower-case letters, digits and dashes, starting with a letter; the role has the same name."
  }
}

variable "description" {
  description = "What the function does, in one sentence."
  type        = string

  validation {
    condition     = length(var.description) >= 1 && length(var.description) <= 256
    error_message = "The description must have 1 to 256 characters."
  }
}

variable "handler" {
  description = "Handler: module and name of the Python function."
  type        = string
}

variable "package" {
  description = "Path of the deployment package, a zip."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip")
    error_message = "The package must be a zip."
  }
}

variable "scratch_mb" {
  description = "Disk of the function in MB; 512 costs nothing."
  type        = number
  default     = 512

  validation {
    condition     = var.scratch_mb >= 512 && var.scratch_mb <= 10240
    error_message = "scratch_mb must be 512 to 10,240."
  }
}

variable "runs_on" {
  description = "Python runtime and architecture the package was built for."
  type = object({
    runtime      = optional(string, "python3.13")
    architecture = optional(string, "arm64")
  })
  default = {}

  validation {
    condition     = can(regex("^python3\\.1[2-9]$", var.runs_on.runtime))
    error_message = "The runtime must be python3.12 or later."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.runs_on.architecture)
    error_message = "The architecture must be arm64 or x86_64."
  }
}

variable "memory_mb" {
  description = "Memory in MB; the CPU share follows from it."
  type        = number

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "memory_mb must be 128 to 10,240."
  }
}

variable "timeout_seconds" {
  description = "Timeout of one invocation, in seconds."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900."
  }
}

variable "environment" {
  description = "Environment variables. No secrets: the function reads those from SSM."
  type        = map(string)
  default     = {}
}

variable "permissions" {
  description = "Permissions beyond logging and tracing, by statement id."
  type = map(object({
    actions   = list(string)
    resources = list(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.permissions) : can(regex("^[A-Za-z0-9]+$", name))])
    error_message = "Statement ids must have letters and digits only."
  }

  validation {
    condition     = alltrue(flatten([for it in values(var.permissions) : [for action in it.actions : !strcontains(action, "*")]]))
    error_message = "List each action; wildcards are not allowed."
  }
}

variable "reserved_concurrency" {
  description = "Reserved concurrency; null for the account's unreserved concurrency."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1
    error_message = "reserved_concurrency must be at least 1, or null."
  }
}

variable "log_days" {
  description = "Log retention, in days."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731."
  }
}

variable "network" {
  description = "Subnets and security groups of a function in a VPC; null for none."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.network == null ? true : length(var.network.subnet_ids) > 0 && length(var.network.security_group_ids) > 0
    error_message = "network needs at least one subnet and one security group."
  }
}

variable "traced" {
  description = "Whether X-Ray traces invocations: the first in each second and 5 % of the rest. Each trace is billed."
  type        = bool
  default     = true
}

variable "cold_starts" {
  description = "SnapStart or provisioned concurrency against cold starts; both are billed. None by default."
  type = object({
    snapstart               = optional(bool, false)
    provisioned_concurrency = optional(number, 0)
  })
  default = {}

  validation {
    condition     = var.cold_starts.provisioned_concurrency >= 0 && floor(var.cold_starts.provisioned_concurrency) == var.cold_starts.provisioned_concurrency
    error_message = "provisioned_concurrency must be a whole number, 0 or more."
  }

  validation {
    condition     = !(var.cold_starts.snapstart && var.cold_starts.provisioned_concurrency > 0)
    error_message = "Choose SnapStart or provisioned concurrency, not both."
  }

  validation {
    condition     = var.reserved_concurrency == null ? true : var.cold_starts.provisioned_concurrency <= var.reserved_concurrency
    error_message = "provisioned_concurrency must not exceed reserved_concurrency."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that alarms notify."
  type        = list(string)
  default     = []
}

variable "runbooks_url" {
  description = "Where the pages of docs/runbooks are; descriptions of alarms name them below it."
  type        = string
  default     = "docs/runbooks"
}
