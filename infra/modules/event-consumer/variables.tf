variable "name" {
  description = "Full name of the function, its queue and its rule."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,63}$", var.name))
    error_message = "The name must be at most 64 small letters, digits and dashes, a letter first."
  }
}

variable "bus_name" {
  description = "The bus it listens to."
  type        = string
}

variable "subscriptions" {
  description = "Names of the events it wants."
  type        = list(string)

  validation {
    condition     = length(var.subscriptions) > 0 && length(distinct(var.subscriptions)) == length(var.subscriptions)
    error_message = "A consumer subscribes to at least one event, and to each once."
  }
}

variable "delay_seconds" {
  description = "How much later than told the events are delivered."
  type        = number
  default     = 0

  validation {
    condition     = var.delay_seconds >= 0 && var.delay_seconds <= 900
    error_message = "SQS delays a message by 0 to 900 seconds."
  }
}

variable "batch" {
  description = "How many messages are handed over at once, how long it is waited for more, and how many batches at a time."
  type = object({
    size           = number
    window_seconds = number
    concurrency    = number
  })

  validation {
    condition     = var.batch.size >= 1 && var.batch.size <= 10000 && (var.batch.size <= 10 || var.batch.window_seconds >= 1)
    error_message = "A batch has 1 to 10,000 messages, and one of more than 10 needs a window of at least a second."
  }

  validation {
    condition     = var.batch.window_seconds >= 0 && var.batch.window_seconds <= 300
    error_message = "The window is 0 to 300 seconds."
  }

  validation {
    condition     = var.batch.concurrency >= 2 && var.batch.concurrency <= 1000
    error_message = "SQS hands over at least 2 and at most 1,000 batches at a time."
  }
}

variable "max_receives" {
  description = "Deliveries before a message becomes a dead letter."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receives >= 1 && var.max_receives <= 1000
    error_message = "A message is delivered 1 to 1,000 times."
  }
}

variable "retention_days" {
  description = "How long messages and dead letters are kept."
  type        = number
  default     = 14

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 14
    error_message = "SQS keeps messages for 1 to 14 days."
  }
}

variable "alarm_topic_arns" {
  description = "Who is told that there are dead letters."
  type        = list(string)
  default     = []
}

variable "tls_only" {
  description = "Whether requests in the clear are refused; an emulator has no others."
  type        = bool
  default     = true
}

variable "function" {
  description = "The function itself; module `function` says what each means."
  type = object({
    description     = string
    handler         = string
    package         = string
    runs_on         = optional(object({ runtime = optional(string), architecture = optional(string) }), {})
    memory_mb       = number
    timeout_seconds = number
    environment     = optional(map(string), {})
    rights          = optional(map(object({ actions = list(string), resources = list(string) })), {})
    log_days        = optional(number, 30)
    network         = optional(object({ subnet_ids = list(string), security_group_ids = list(string) }))
    traced          = optional(bool, true)
    starts          = optional(object({ snapshot = optional(bool), kept_warm = optional(number) }), {})
  })
}
