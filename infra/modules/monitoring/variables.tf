variable "prefix" {
  description = "What every name begins with: the environment and the project, as in dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, as in dev-pulsequeue."
  }
}

variable "files" {
  description = "The folder with the rules, dashboards and settings of Prometheus and Grafana: monitoring/ of the repository."
  type        = string

  validation {
    condition     = fileexists("${var.files}/prometheus/prometheus.yml")
    error_message = "There is no prometheus/prometheus.yml in that folder."
  }
}

variable "metrics_host" {
  description = "The host that answers /metrics, as in abcd1234.execute-api.us-east-1.amazonaws.com."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.metrics_host))
    error_message = "Name the host alone, without https:// and path."
  }
}

variable "metrics_token_parameter" {
  description = "The SSM parameter with the token of /metrics, as in /dev-pulsequeue/metrics-token."
  type        = string

  validation {
    condition     = can(regex("^/[a-zA-Z0-9/_.-]+$", var.metrics_token_parameter))
    error_message = "A parameter is named by its path, as in /dev-pulsequeue/metrics-token."
  }
}

variable "network" {
  description = "Where it runs: the network, subnets of the task with a way to the internet (by NAT, or public with public_ip), subnets of the load balancer, and the security group of the interface endpoints that stand for AWS services there."
  type = object({
    vpc_id                      = string
    task_subnet_ids             = list(string)
    public_ip                   = optional(bool, false)
    load_balancer_subnet_ids    = list(string)
    endpoints_security_group_id = string
  })

  validation {
    condition     = length(var.network.task_subnet_ids) >= 1 && length(var.network.load_balancer_subnet_ids) >= 2
    error_message = "The task needs a subnet, the load balancer subnets in two zones."
  }
}

variable "reach" {
  description = "Who reaches Grafana: whether its load balancer is inside the network (internal), and the addresses that it lets in."
  type = object({
    internal = optional(bool, true)
    cidrs    = set(string)
  })

  validation {
    condition     = length(var.reach.cidrs) > 0 && alltrue([for cidr in var.reach.cidrs : can(cidrhost(cidr, 0))])
    error_message = "Name at least one range of addresses that is let in, as in 203.0.113.0/24."
  }

  validation {
    # Nobody's office is larger; the internet in two halves would be 0.0.0.0/1 and 128.0.0.0/1.
    condition     = alltrue([for cidr in var.reach.cidrs : strcontains(cidr, ":") ? try(tonumber(split("/", cidr)[1]) >= 32, false) : try(tonumber(split("/", cidr)[1]) >= 8, false)])
    error_message = "That lets the internet in. Name ranges no larger than /8 (IPv6: /32)."
  }
}

variable "hostname" {
  description = "The name that Grafana is reached by. Let it point to the output load_balancer."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.hostname))
    error_message = "Give a full name, as in grafana.example.com."
  }
}

variable "certificate_arn" {
  description = "The certificate of that name, in ACM."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "The certificate is named by its ARN in ACM."
  }
}

variable "images" {
  description = "What runs. The tags are those of monitoring/compose.yaml."
  type = object({
    prometheus = optional(string, "prom/prometheus:v3.13.0")
    grafana    = optional(string, "grafana/grafana:13.2.0")
    aws_cli    = optional(string, "public.ecr.aws/aws-cli/aws-cli:2.27.50")
  })
  default = {}

  validation {
    condition     = alltrue([for image in [var.images.prometheus, var.images.grafana, var.images.aws_cli] : can(regex("(:[^:/]+|@sha256:[0-9a-f]{64})$", image)) && !endswith(image, ":latest")])
    error_message = "Images are pinned by a tag or a digest, and not by latest."
  }
}

variable "size" {
  description = "CPU units and MiB of memory of the task, and GiB of disk for what Prometheus remembers."
  type        = object({ cpu = optional(number, 512), memory = optional(number, 2048), disk = optional(number, 40) })
  default     = {}

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.size.cpu) && var.size.memory >= 2 * var.size.cpu && var.size.memory <= 8 * var.size.cpu && var.size.disk >= 21 && var.size.disk <= 200
    error_message = "Fargate has 256 to 4096 CPU units, each with two to eight times as many MiB of memory, and 21 to 200 GiB of disk."
  }
}

variable "protected" {
  description = "Whether the load balancer and the bucket refuse to be deleted."
  type        = bool
  default     = true
}

variable "log_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827], var.log_days)
    error_message = "CloudWatch Logs keeps logs 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096 or 1827 days."
  }
}
