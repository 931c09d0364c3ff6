variable "environment" {
  description = "Name of the environment; prefix of every resource name."
  type        = string
}

variable "package_folder" {
  description = "Folder of the zips built by `make package`, one per service."
  type        = string
}

variable "protected" {
  description = "Whether resources that hold data are protected from deletion."
  type        = bool
}

variable "zones" {
  description = "Number of availability zones of the network."
  type        = number
  default     = 2
}

variable "database" {
  description = "Database: capacity of each instance in ACU, number of instances, endpoint (proxy or cluster), days of backups and version of PostgreSQL; null for an environment without a read side."
  type = object({
    capacity       = object({ min = number, max = number })
    instances      = number
    endpoint       = string
    backup_days    = number
    engine_version = optional(string, "16")
  })
}

variable "notify" {
  description = "Who to notify of alarms and of the budget: e-mail addresses, HTTPS webhooks that confirm SNS subscriptions, a Slack channel."
  type = object({
    emails   = optional(set(string), [])
    webhooks = optional(set(string), [])
    slack    = optional(object({ workspace_id = string, channel_id = string }))
  })

  validation {
    condition     = length(var.notify.emails) + length(var.notify.webhooks) > 0 || var.notify.slack != null
    error_message = "Nobody would be notified of alarms. Give an e-mail address, a webhook or a Slack channel."
  }
}

variable "monthly_usd" {
  description = "Monthly budget in US dollars."
  type        = number
}

variable "monitoring" {
  description = "Grafana's DNS name, ACM certificate and admitted CIDR ranges; null for no Prometheus and Grafana in the environment."
  type = object({
    hostname        = string
    certificate_arn = string
    internal        = optional(bool, true)
    cidrs           = set(string)
  })
  default = null
}

variable "traced" {
  description = "Whether X-Ray traces the functions; each trace is billed (docs/cost.md)."
  type        = bool
  default     = true
}

variable "cold_starts" {
  description = "SnapStart (`snapstart`) or `provisioned_concurrency` by short function name; none by default."
  type = map(object({
    snapstart               = optional(bool, false)
    provisioned_concurrency = optional(number, 0)
  }))
  default = {}
}

variable "payment_gateway" {
  description = "Payment gateway: simulated, or stripe (docs/payments.md)."
  type        = string
  default     = "simulated"
}

variable "web_origins" {
  description = "Origins of other web pages that may call the API (CORS)."
  type        = list(string)
  default     = []
}

variable "console_domain" {
  description = "Domain of the console, and its ACM certificate in us-east-1; null for a domain of CloudFront."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null
}

variable "domain" {
  description = "Hosted zone of Route 53, and the names of the console and the API in it; null for none. Certificates and records are made."
  type = object({
    zone    = string
    console = string
    api     = string
  })
  default = null

  validation {
    condition     = var.domain == null || var.console_domain == null
    error_message = "Give domain or console_domain, not both: domain makes the certificate that console_domain brings."
  }
}

variable "firewall" {
  description = "Web application firewall at CloudFront: requests of one address in five minutes. Null for none; it costs $9 a month."
  type        = object({ requests_per_five_minutes = optional(number, 2000) })
  default     = null
}

variable "sign_in_with" {
  description = "Our OAuth clients at Google and GitHub, for people to sign in with them; null for no sign-in there. Their secrets are the parameters /<environment>-pulsequeue/google-client-secret and github-client-secret, which must exist before."
  type = object({
    google_client_id = optional(string)
    github_client_id = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for it in [var.sign_in_with.google_client_id, var.sign_in_with.github_client_id] : it == null ? true : can(regex("^[A-Za-z0-9._-]+$", it))])
    error_message = "A client id must be what Google or GitHub shows of our client: letters, digits, dots, dashes and underscores."
  }
}

variable "admins_need_second_factor" {
  description = "Whether administrators without a second factor are refused; people who sign in with Google or GitHub have none here."
  type        = bool
  default     = false
}

variable "repository" {
  description = "GitHub repository (owner/name) whose runbooks alarms link to."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "The repository must be owner/name."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of every role; null for that of infra/bootstrap: pulsequeue-boundary-<environment>, and -preview for previews."
  type        = string
  default     = null
}

variable "backup" {
  description = "Daily copies of tables and database in a locked vault: days that they are kept, and the vault of another account or region that gets a copy. Null for none."
  type        = object({ days = optional(number, 35), copy_to_vault_arn = optional(string) })
  default     = null
}

variable "restore" {
  description = "After a loss: what tables (by short name) and the database are made from when they are created. Changes nothing that exists."
  type = object({
    tables   = optional(map(object({ source = string, at = optional(string) })), {})
    database = optional(object({ snapshot = optional(string), cluster_resource_id = optional(string), at = optional(string) }))
  })
  default  = {}
  nullable = false
}
