variable "prefix" {
  description = "What every name begins with: the environment and the project, as in dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, as in dev-pulsequeue."
  }
}

variable "engine_version" {
  description = "Version of Aurora PostgreSQL. With a major version alone, AWS chooses the minor one and keeps it up to date."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^(15|16)(\\.[0-9]+)?$", var.engine_version))
    error_message = "The migrations are written for PostgreSQL 15 and 16, as in 16 or 16.8."
  }
}

variable "capacity" {
  description = "Least and most capacity of each instance, in ACU (2 GiB of memory each)."
  type        = object({ min = number, max = number })
  default     = { min = 0.5, max = 4 }

  validation {
    condition     = alltrue([for acu in [var.capacity.min, var.capacity.max] : acu * 2 == floor(acu * 2)]) && var.capacity.min >= 0.5 && var.capacity.max >= 1 && var.capacity.max <= 256 && var.capacity.min <= var.capacity.max
    error_message = "Capacity goes in steps of 0.5 ACU from 0.5 to 256, at least 1 at most, and min is not above max."
  }
}

variable "instances" {
  description = "How many instances there are, each in a zone of its own: one writes, the others take over."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 3], var.instances)
    error_message = "There can be 1, 2 or 3 instances; 2 survive the loss of a zone."
  }
}

variable "way_in" {
  description = "By what functions reach the database: an RDS proxy, or the cluster itself."
  type        = string
  default     = "proxy"

  validation {
    condition     = contains(["proxy", "cluster"], var.way_in)
    error_message = "The way in is \"proxy\" or \"cluster\"."
  }
}

variable "subnet_ids" {
  description = "Subnets of the database, in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "The database needs subnets in at least two zones."
  }
}

variable "security_group_id" {
  description = "The security group of the database and its proxy. It has to let the proxy reach the database."
  type        = string
}

variable "protected" {
  description = "Whether the database refuses to be deleted, and leaves a last snapshot when it is after all."
  type        = bool
  default     = true
}

variable "backup_days" {
  description = "How far back the database can be restored to any second."
  type        = number
  default     = 7

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35 && floor(var.backup_days) == var.backup_days
    error_message = "Aurora keeps backups for 1 to 35 days."
  }
}

variable "log_days" {
  description = "How long the database's logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827 days."
  }
}

variable "storage_alarm_gib" {
  description = "Gibibytes of data above which somebody is told: Aurora grows by itself, and so does its bill."
  type        = number
  default     = 100

  validation {
    condition     = var.storage_alarm_gib >= 1
    error_message = "The storage alarm needs at least 1 GiB: an empty cluster has some already."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that are told of alarms."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "Alarms are told to SNS topics, by their ARN."
  }
}
