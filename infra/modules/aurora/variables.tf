variable "prefix" {
  description = "Prefix of every name: environment and project, such as dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, such as dev-pulsequeue."
  }
}

variable "engine_version" {
  description = "Version of Aurora PostgreSQL. With a major version only, AWS chooses and updates the minor version."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^(1[5-8])(\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version must be PostgreSQL 15, 16, 17 or 18, such as 16 or 16.8."
  }
}

variable "capacity" {
  description = "Minimum and maximum capacity of each instance, in ACU (2 GiB of memory each). With a minimum of 0 the database pauses when nobody is connected."
  type        = object({ min = number, max = number })
  default     = { min = 0.5, max = 4 }

  validation {
    condition     = alltrue([for acu in [var.capacity.min, var.capacity.max] : acu * 2 == floor(acu * 2)]) && var.capacity.min >= 0 && var.capacity.max >= 1 && var.capacity.max <= 256 && var.capacity.min <= var.capacity.max
    error_message = "capacity must be in steps of 0.5 ACU from 0 to 256, with max at least 1 and min not above max."
  }

  validation {
    condition     = var.capacity.min > 0 || var.endpoint == "cluster"
    error_message = "With a proxy the database never pauses: its connections stay open. Give capacity.min at least 0.5, or the endpoint \"cluster\"."
  }
}

variable "instances" {
  description = "Number of instances, each in a zone of its own: one writer, the others for failover."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3], var.instances)
    error_message = "instances must be 1, 2 or 3; 2 survive the loss of a zone."
  }
}

variable "endpoint" {
  description = "Endpoint that functions connect to: `proxy` (RDS Proxy) or `cluster`."
  type        = string
  default     = "proxy"

  validation {
    condition     = contains(["proxy", "cluster"], var.endpoint)
    error_message = "endpoint must be \"proxy\" or \"cluster\"."
  }
}

variable "subnet_ids" {
  description = "Subnets of the database, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give at least two subnets, in different zones."
  }
}

variable "security_group_id" {
  description = "Security group of the database and its proxy. It has to admit the proxy to the database."
  type        = string
}

variable "protected" {
  description = "Whether the database is protected from deletion, and leaves a final snapshot when it is deleted."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "Days of point-in-time recovery."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "backup_days must be 1 to 35."
  }
}

variable "log_days" {
  description = "Retention of the database logs, in days."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827."
  }
}

variable "storage_alarm_gib" {
  description = "Storage in GiB above which an alarm goes off: Aurora's storage grows by itself, and so does its cost."
  type        = number
  default     = 100

  validation {
    condition     = var.storage_alarm_gib >= 1
    error_message = "storage_alarm_gib must be at least 1."
  }
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that alarms notify."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "Give ARNs of SNS topics."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}

variable "restore" {
  description = "What to make the database from when it is created: a snapshot, or a cluster (its resource id, also of a deleted one) at a time (RFC 3339; null for the latest). Null for an empty database."
  type = object({
    snapshot            = optional(string)
    cluster_resource_id = optional(string)
    at                  = optional(string)
  })
  default = null

  validation {
    condition     = var.restore == null ? true : (var.restore.snapshot == null) != (var.restore.cluster_resource_id == null)
    error_message = "Give a snapshot, or the resource id of a cluster."
  }

  validation {
    condition     = try(var.restore.at, null) == null ? true : var.restore.snapshot == null && can(timeadd(var.restore.at, "0s"))
    error_message = "Give the time of a cluster as 2026-01-31T12:00:00Z; a snapshot has one time only."
  }
}
