variable "environment" {
  description = "Name of the environment; every name begins with it."
  type        = string
}

variable "package_folder" {
  description = "Where `make package` has put the zips, one per service."
  type        = string
}

variable "protected" {
  description = "Whether what holds data refuses to be deleted."
  type        = bool
}

variable "zones" {
  description = "How many availability zones the network is spread over."
  type        = number
  default     = 2
}

variable "database" {
  description = "How large the database is (ACU of each instance), how many instances there are, how functions get to it, and how far back it can be restored; null for an environment without a read side."
  type = object({
    capacity    = object({ min = number, max = number })
    instances   = number
    way_in      = string
    backup_days = number
  })
}

variable "told" {
  description = "Who is told of alarms and of money: mail addresses, HTTPS addresses that confirm subscriptions, a Slack channel."
  type = object({
    emails   = optional(set(string), [])
    webhooks = optional(set(string), [])
    slack    = optional(object({ workspace_id = string, channel_id = string }))
  })

  validation {
    condition     = length(var.told.emails) + length(var.told.webhooks) > 0 || var.told.slack != null
    error_message = "Somebody has to be told of alarms: name a mail address, a webhook or a Slack channel."
  }
}

variable "monthly_usd" {
  description = "What a month may cost, in US dollars, before somebody is told."
  type        = number
}

variable "monitoring" {
  description = "Under which name Grafana is reached, by which certificate, and from which addresses; null where somebody scrapes from elsewhere."
  type = object({
    hostname        = string
    certificate_arn = string
    internal        = optional(bool, true)
    cidrs           = set(string)
  })
  default = null
}

variable "traced" {
  description = "Whether X-Ray records calls of the functions; each is billed (docs/cost.md)."
  type        = bool
  default     = true
}

variable "starts" {
  description = "What is done about cold starts of which function, by its short name: `snapshot`, or so many `kept_warm`. Nothing unless named."
  type = map(object({
    snapshot  = optional(bool, false)
    kept_warm = optional(number, 0)
  }))
  default = {}
}

variable "web_origins" {
  description = "Web pages elsewhere that may ask the API."
  type        = list(string)
  default     = []
}

variable "repository" {
  description = "The repository on GitHub, whose runbooks alarms link to."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "A repository is named owner/name."
  }
}
