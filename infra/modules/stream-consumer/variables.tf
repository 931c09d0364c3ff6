variable "name" {
  description = "Name of the function."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,59}$", var.name))
    error_message = "The name must have at most 60 lower-case letters, digits and dashes, starting with a letter."
  }
}

variable "stream_arn" {
  description = "ARN of the table's stream."
  type        = string

  validation {
    condition     = can(regex(":table/.+/stream/", var.stream_arn))
    error_message = "Give the ARN of a DynamoDB stream."
  }
}

variable "partitions" {
  description = "Beginnings of the partition key `pk`; changes of other items are left out."
  type        = list(string)

  validation {
    condition     = length(var.partitions) > 0 && alltrue([for it in var.partitions : length(it) > 0])
    error_message = "Give at least one beginning of partition keys, none of them empty."
  }
}

variable "batch_size" {
  description = "Changes in a batch, at most."
  type        = number

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000
    error_message = "batch_size must be 1 to 10,000."
  }
}

variable "tries" {
  description = "How often a batch is tried before it goes to the dead-letter queue."
  type        = number
  default     = 3

  validation {
    condition     = var.tries >= 1 && var.tries <= 100
    error_message = "tries must be 1 to 100."
  }
}

variable "maximum_age_seconds" {
  description = "Age of the oldest change not yet received, in seconds, above which the alarm goes off."
  type        = number
  default     = 60
}

variable "retention_days" {
  description = "Retention of messages in the dead-letter queue, in days."
  type        = number
  default     = 14

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "retention_days must be 1 to 14."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that the alarms notify."
  type        = list(string)
  default     = []
}

variable "function" {
  description = "Settings of the function, as in module `function`."
  type = object({
    description     = string
    handler         = string
    package         = string
    runs_on         = optional(object({ runtime = optional(string), architecture = optional(string) }), {})
    memory_mb       = number
    timeout_seconds = number
    environment     = optional(map(string), {})
    permissions     = optional(map(object({ actions = list(string), resources = list(string) })), {})
    log_days        = optional(number, 30)
    traced          = optional(bool, true)
    cold_starts     = optional(object({ snapstart = optional(bool), provisioned_concurrency = optional(number) }), {})
  })
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}

variable "runbooks_url" {
  description = "Where the pages of docs/runbooks are; descriptions of alarms name them below it."
  type        = string
  default     = "docs/runbooks"
}
