variable "environment" {
  description = "Name of the environment; every name begins with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "An environment's name has at most 16 small letters, digits and dashes, a letter first."
  }
}

variable "package_folder" {
  description = "Where `make package` has put the zips, one per service."
  type        = string
}

variable "runs_on" {
  description = "Which Python, and on which processor: what the packages were built for."
  type = object({
    runtime      = optional(string, "python3.13")
    architecture = optional(string, "arm64")
  })
  default = {}
}

variable "database" {
  description = "Where PostgreSQL is, and what it takes to get in; null for an environment without a read side."
  type = object({
    host               = string
    port               = number
    name               = optional(string, "pulsequeue")
    sslmode            = optional(string, "verify-full")
    resource_id        = string
    secret_arn         = string
    secret_name        = optional(string)
    secret_key_arn     = optional(string)
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.database == null ? true : contains(["disable", "require", "verify-full"], var.database.sslmode)
    error_message = "The database's sslmode is disable, require or verify-full."
  }
}

variable "protected" {
  description = "Whether what holds data refuses to be deleted."
  type        = bool
  default     = true
}

variable "hold_seconds" {
  description = "How long a reservation waits for its payment; null for what infra/functions.yaml says."
  type        = number
  default     = null

  validation {
    condition     = var.hold_seconds == null ? true : var.hold_seconds >= 1 && var.hold_seconds <= 900
    error_message = "SQS delays a message by 900 seconds at most, and a hold takes at least one."
  }
}

variable "concurrency_limit" {
  description = "How many batches of one consumer may run at a time at most, whatever infra/functions.yaml allows; null for no other limit."
  type        = number
  default     = null

  validation {
    condition     = var.concurrency_limit == null ? true : var.concurrency_limit >= 2
    error_message = "SQS hands over at least 2 batches at a time."
  }
}

variable "traced" {
  description = "Whether X-Ray records calls of the functions; each is billed."
  type        = bool
  default     = true
}

variable "starts" {
  description = "What is done about cold starts of which function, by its short name; module `function` says what there is. Nothing unless named."
  type = map(object({
    snapshot  = optional(bool, false)
    kept_warm = optional(number, 0)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.starts) : contains(keys(local.functions), name)])
    error_message = "Only functions of infra/functions.yaml can be started otherwise, by the names that they have there."
  }
}

variable "web_origins" {
  description = "Web pages elsewhere that may ask the API."
  type        = list(string)
  default     = []
}

variable "alarm_topic_arns" {
  description = "Who is told of alarms."
  type        = list(string)
  default     = []
}

variable "tls_only" {
  description = "Whether queues refuse requests in the clear; an emulator has no others."
  type        = bool
  default     = true
}

variable "more_variables" {
  description = "What every function of this environment is told besides."
  type        = map(string)
  default     = {}
}
