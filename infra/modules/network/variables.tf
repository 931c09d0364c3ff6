variable "prefix" {
  description = "What every name begins with: the environment and the project, as in dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, as in dev-pulsequeue."
  }
}

variable "cidr" {
  description = "Addresses of the network. A sixteenth of it goes to each subnet."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The network must be an IPv4 range between /16 and /22, so that each subnet has at least 64 addresses."
  }
}

variable "zones" {
  description = "How many availability zones the subnets are spread over."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "The database needs subnets in 2 or 3 availability zones."
  }
}

variable "endpoints" {
  description = "AWS services that the functions call from inside the network, each through an interface endpoint."
  type        = set(string)
  # The projector puts what nobody can read into its dead-letter queue, analytics reads the key of its cursors, the
  # migrator the administrator's secret. Logs and traces leave by Lambda's own network.
  default = ["sqs", "ssm", "secretsmanager"]

  validation {
    condition     = alltrue([for service in var.endpoints : can(regex("^[a-z][a-z0-9.-]+$", service)) && !contains(["s3", "dynamodb"], service)])
    error_message = "Name services as AWS does (sqs, ecr.api). s3 and dynamodb are reached through gateway endpoints, which are always there."
  }
}

variable "public_subnets" {
  description = "Whether there are subnets that the internet can reach, for a load balancer. There are, too, when nat is asked for."
  type        = bool
  default     = false
}

variable "nat" {
  description = "Whether the private subnets can reach the internet: a NAT gateway in each zone, which is billed by the hour."
  type        = bool
  default     = false
}

variable "log_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827 days."
  }
}
