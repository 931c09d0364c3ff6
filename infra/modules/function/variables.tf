variable "name" {
  description = "Full name of the function, and of its role."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,63}$", var.name))
    error_message = "The name must be at most 64 small letters, digits and dashes, a letter first: a role is called like it."
  }
}

variable "description" {
  description = "What it does, in one sentence."
  type        = string

  validation {
    condition     = length(var.description) >= 1 && length(var.description) <= 256
    error_message = "The description must have 1 to 256 characters."
  }
}

variable "handler" {
  description = "Module and name of the Python function that is called."
  type        = string
}

variable "package" {
  description = "Path of the zip with the code."
  type        = string

  validation {
    condition     = endswith(var.package, ".zip")
    error_message = "The package must be a zip."
  }
}

variable "runs_on" {
  description = "Which Python, and on which processor: what the package was built for."
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
  description = "Memory, and with it the share of a processor."
  type        = number

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240
    error_message = "Lambda gives 128 to 10,240 MB."
  }
}

variable "timeout_seconds" {
  description = "How long one invocation may take."
  type        = number

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "Lambda gives 1 to 900 seconds."
  }
}

variable "environment" {
  description = "What it is told. No secrets: those it reads itself."
  type        = map(string)
  default     = {}
}

variable "rights" {
  description = "What it may do beyond logging and tracing, by the name of each statement."
  type = map(object({
    actions   = list(string)
    resources = list(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.rights) : can(regex("^[A-Za-z0-9]+$", name))])
    error_message = "A statement's name has letters and digits only."
  }

  validation {
    condition     = alltrue(flatten([for right in values(var.rights) : [for action in right.actions : !strcontains(action, "*")]]))
    error_message = "Actions are named one by one."
  }
}

variable "reserved_concurrency" {
  description = "How many may run at once at most; null for whatever the account has."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1
    error_message = "A function that may not run at all is no function: at least 1, or null."
  }
}

variable "log_days" {
  description = "How long its log is kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

variable "network" {
  description = "Where it runs when it needs what is in a private network; null when it does not."
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  default = null

  validation {
    condition     = var.network == null ? true : length(var.network.subnet_ids) > 0 && length(var.network.security_group_ids) > 0
    error_message = "A network needs at least one subnet and one security group."
  }
}

variable "traced" {
  description = "Whether X-Ray records calls: the first in each second, and one of twenty others. Each is billed."
  type        = bool
  default     = true
}

variable "starts" {
  description = "What is done about cold starts: restored from a snapshot, or so many kept warm, which is billed by the hour. Neither costs nothing."
  type = object({
    snapshot  = optional(bool, false)
    kept_warm = optional(number, 0)
  })
  default = {}

  validation {
    condition     = var.starts.kept_warm >= 0 && floor(var.starts.kept_warm) == var.starts.kept_warm
    error_message = "A whole number is kept warm, or none."
  }

  validation {
    condition     = !(var.starts.snapshot && var.starts.kept_warm > 0)
    error_message = "Lambda restores from a snapshot or keeps warm, not both."
  }

  validation {
    condition     = var.reserved_concurrency == null ? true : var.starts.kept_warm <= var.reserved_concurrency
    error_message = "No more can be kept warm than may run at once (reserved_concurrency)."
  }
}
