variable "name" {
  description = "Name of the function, its queue and its rule."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,63}$", var.name))
    error_message = "The name must have at most 64 lower-case letters, digits and dashes, starting with a letter."
  }
}

variable "bus_name" {
  description = "Name of the event bus."
  type        = string
}

variable "subscriptions" {
  description = "Detail types of the events to consume; none when other functions fill the queue."
  type        = list(string)

  validation {
    condition     = length(distinct(var.subscriptions)) == length(var.subscriptions)
    error_message = "subscriptions must name each event once."
  }
}

variable "source_bucket" {
  description = "Name of the bucket of this account that sends notifications of its objects to the queue; null for none."
  type        = string
  default     = null
}

variable "delay_seconds" {
  description = "Delivery delay of the queue, in seconds."
  type        = number
  default     = 0

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "delay_seconds must be 0 to 900."
  }
}

variable "batch" {
  description = "Most messages handled at once, batch window in seconds, and maximum concurrency."
  type = object({
    size           = number
    window_seconds = number
    concurrency    = number
  })

  validation {
    condition     = var.batch.size >= 1 && var.batch.size <= 10000
    error_message = "The batch size must be 1 to 10,000."
  }

  validation {
    condition     = var.batch.window_seconds >= 0 && var.batch.window_seconds <= 300
    error_message = "The batch window must be 0 to 300 seconds."
  }

  validation {
    condition     = var.batch.concurrency >= 2 && var.batch.concurrency <= 1000
    error_message = "The batch concurrency must be 2 to 1,000."
  }
}

variable "max_receives" {
  description = "Receives before a message moves to the dead-letter queue."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 1000
    error_message = "max_receives must be 1 to 1,000."
  }
}

variable "retention_days" {
  description = "Retention of messages in both queues, in days."
  type        = number
  default     = 14

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "retention_days must be 1 to 14."
  }
}

variable "max_wait_seconds" {
  description = "How long a message may wait beyond its delay before an alarm, in seconds."
  type        = number
  default     = 600

  validation {
    condition     = var.max_wait_seconds >= 60 && var.max_wait_seconds <= 604800
    error_message = "max_wait_seconds must be 60 to 604,800."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that the alarms notify."
  type        = list(string)
  default     = []
}

variable "tls_only" {
  description = "Whether the queues deny requests without TLS; false for an emulator, which has no TLS."
  type        = bool
  default     = true
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
    scratch_mb      = optional(number, 512)
    environment     = optional(map(string), {})
    permissions     = optional(map(object({ actions = list(string), resources = list(string) })), {})
    log_days        = optional(number, 30)
    network         = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
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
