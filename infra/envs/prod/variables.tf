variable "region" {
  description = "AWS region."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region of AWS, such as eu-west-1."
  }
}

variable "package_folder" {
  description = "Folder of the zips built by `make package`."
  type        = string
  default     = "../../../build"
}

variable "notify" {
  description = "Who to notify of alarms and of the budget: e-mail addresses, HTTPS webhooks, a Slack channel."
  type = object({
    emails   = optional(set(string), [])
    webhooks = optional(set(string), [])
    slack    = optional(object({ workspace_id = string, channel_id = string }))
  })
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

variable "repository" {
  description = "GitHub repository (owner/name) whose runbooks alarms link to."
  type        = string
}

variable "monthly_usd" {
  description = "Monthly budget in US dollars."
  type        = number
  default     = 1100
}

variable "web_origins" {
  description = "Origins of other web pages that may call the API (CORS)."
  type        = list(string)
  default     = []
  nullable    = false
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
  description = "Hosted zone of Route 53, and the names of the console and the API in it; null for none. In place of console_domain."
  type = object({
    zone    = string
    console = string
    api     = string
  })
  default = null
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

variable "backup_vault_arn" {
  description = "ARN of the backup vault in another account or region that gets a copy of each daily backup; null for none (infra/modules/backup)."
  type        = string
  default     = null
}

variable "sign_in_with" {
  description = "Our OAuth clients at Google and GitHub; null for no sign-in with them. Their secrets are parameters (docs/deploy.md)."
  type = object({
    google_client_id = optional(string)
    github_client_id = optional(string)
  })
  default  = {}
  nullable = false
}

variable "admins_need_second_factor" {
  description = "Whether administrators without a second factor are refused (docs/sign-in.md)."
  type        = bool
  default     = false
}
