variable "prefix" {
  description = "Prefix of every name: environment and project, such as dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, such as dev-pulsequeue."
  }
}

variable "files" {
  description = "Folder of the rules, dashboards and settings of Prometheus and Grafana: monitoring/ of the repository."
  type        = string

  validation {
    condition     = fileexists("${var.files}/prometheus/prometheus.yml")
    error_message = "The folder must contain prometheus/prometheus.yml."
  }
}

variable "metrics_host" {
  description = "Host that serves /metrics, such as abcd1234.execute-api.us-east-1.amazonaws.com."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.metrics_host))
    error_message = "Give the host name only, without https:// and path."
  }
}

variable "metrics_token_parameter" {
  description = "SSM parameter with the token of /metrics, such as /dev-pulsequeue/metrics-token."
  type        = string

  validation {
    condition     = can(regex("^/[a-zA-Z0-9/_.-]+$", var.metrics_token_parameter))
    error_message = "The parameter must be a path, such as /dev-pulsequeue/metrics-token."
  }
}

variable "alarms" {
  description = "SNS topic that alerts are published to, and the KMS key that encrypts it."
  type        = object({ topic_arn = string, key_arn = string })
}

variable "network" {
  description = "VPC, task subnets with internet access (by NAT, or public with public_ip), load balancer subnets, and the security group of the VPC's interface endpoints."
  type = object({
    vpc_id                      = string
    task_subnet_ids             = list(string)
    public_ip                   = optional(bool, false)
    load_balancer_subnet_ids    = list(string)
    endpoints_security_group_id = string
  })

  validation {
    condition     = length(var.network.task_subnet_ids) >= 1 && length(var.network.load_balancer_subnet_ids) >= 2
    error_message = "Give at least one subnet for the task and two for the load balancer, in different zones."
  }
}

variable "reach" {
  description = "Access to Grafana: whether the load balancer is internal, and the CIDR ranges it admits."
  type = object({
    internal = optional(bool, true)
    cidrs    = set(string)
  })

  validation {
    condition     = length(var.reach.cidrs) > 0 && alltrue([for cidr in var.reach.cidrs : can(cidrhost(cidr, 0))])
    error_message = "Give at least one CIDR range, such as 203.0.113.0/24."
  }

  validation {
    # No office needs a larger range; 0.0.0.0/1 and 128.0.0.0/1 together would be the whole internet.
    condition     = alltrue([for cidr in var.reach.cidrs : strcontains(cidr, ":") ? try(tonumber(split("/", cidr)[1]) >= 32, false) : try(tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "The range is too large and would admit the internet. Give ranges no larger than /8 (IPv6: /32)."
  }
}

variable "hostname" {
  description = "DNS name of Grafana. Point it to the output load_balancer."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.hostname))
    error_message = "Give a full host name, such as grafana.example.com."
  }
}

variable "certificate_arn" {
  description = "ARN of the ACM certificate of that name."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "Give the ARN of an ACM certificate."
  }
}

variable "images" {
  description = "Container images. The tags are those of monitoring/compose.yaml."
  type = object({
    prometheus   = optional(string, "prom/prometheus:v3.13.4")
    grafana      = optional(string, "grafana/grafana:13.2.0")
    alertmanager = optional(string, "prom/alertmanager:v0.34.0")
    aws_cli      = optional(string, "public.ecr.aws/aws-cli/aws-cli:2.27.50")
  })
  default = {}

  validation {
    condition     = alltrue([for image in [var.images.prometheus, var.images.grafana, var.images.alertmanager, var.images.aws_cli] : can(regex("(:[^:/]+|@sha256:[0-9a-f]{64})$", image)) && !endswith(image, ":latest")])
    error_message = "Pin images by a tag or a digest, not by latest."
  }
}

variable "size" {
  description = "CPU units and MiB of memory of the task, and GiB of disk for Prometheus' data."
  type        = object({ cpu = optional(number, 512), memory = optional(number, 2048), disk = optional(number, 40) })
  default     = {}

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.size.cpu) && var.size.memory >= 2 * var.size.cpu && var.size.memory <= 8 * var.size.cpu && var.size.disk >= 21 && var.size.disk <= 200
    error_message = "Fargate takes 256 to 4096 CPU units, two to eight times as many MiB of memory, and 21 to 200 GiB of disk."
  }
}

variable "protected" {
  description = "Whether the load balancer and the bucket are protected from deletion."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "Log retention, in days."
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

variable "runbooks_url" {
  description = "Where the pages of docs/runbooks are; descriptions of alarms name them below it."
  type        = string
  default     = "docs/runbooks"
}
