variable "prefix" {
  description = "Prefix of every name: environment and project, such as dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, such as dev-pulsequeue."
  }
}

variable "cidr" {
  description = "CIDR range of the VPC; each subnet gets a sixteenth of it."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "cidr must be an IPv4 range between /16 and /22, so that each subnet has at least 64 addresses."
  }
}

variable "zones" {
  description = "Number of availability zones of the subnets."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "zones must be 2 or 3."
  }
}

variable "endpoints" {
  description = "AWS services that functions call from inside the VPC, each through an interface endpoint."
  type        = set(string)
  # The projector sends invalid events to its dead-letter queue, analytics reads the key of its cursors, the
  # migrator the administrator's secret. Logs and traces use Lambda's own network.
  default = ["sqs", "ssm", "secretsmanager"]

  validation {
    condition     = alltrue([for service in var.endpoints : can(regex("^[a-z][a-z0-9.-]+$", service)) && !contains(["s3", "dynamodb"], service)])
    error_message = "Give service names of AWS (sqs, ecr.api). s3 and dynamodb always have gateway endpoints."
  }
}

variable "public_subnets" {
  description = "Whether to create public subnets, for a load balancer. nat creates them too."
  type        = bool
  default     = false
}

variable "nat" {
  description = "Whether private subnets can reach the internet, by a NAT gateway in each zone (billed by the hour)."
  type        = bool
  default     = false
}

variable "log_days" {
  description = "Retention of flow logs, in days."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "log_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}
