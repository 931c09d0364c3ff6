variable "prefix" {
  description = "What every name begins with: the environment and the project, as in dev-pulsequeue. Our own metrics are in the namespace of this name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, as in dev-pulsequeue."
  }
}

variable "emails" {
  description = "Addresses that are told. Each is asked once whether it wants to be."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "Give mail addresses, as in team@example.com."
  }
}

variable "webhooks" {
  description = "HTTPS addresses that are told, of services that confirm a subscription of SNS (PagerDuty, Opsgenie, Grafana OnCall)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.webhooks : startswith(url, "https://")])
    error_message = "Alarms leave by HTTPS alone."
  }

  validation {
    condition     = alltrue([for url in var.webhooks : !startswith(url, "https://hooks.slack.com/")])
    error_message = "A webhook of Slack does not confirm subscriptions, and would be told nothing: use slack."
  }
}

variable "slack" {
  description = "The Slack channel that is told, by AWS's own app. The workspace has to let that app in once, in the console."
  type        = object({ workspace_id = string, channel_id = string })
  default     = null

  validation {
    condition     = var.slack == null || try(can(regex("^T[A-Z0-9]+$", var.slack.workspace_id)) && can(regex("^[CG][A-Z0-9]+$", var.slack.channel_id)), false)
    error_message = "Slack calls a workspace T... and a channel C..., not by their names."
  }
}

variable "metrics" {
  description = "Alarms on one metric each, by name."
  type = map(object({
    description = string
    namespace   = string
    metric      = string
    dimensions  = optional(map(string), {})
    statistic   = optional(string, "Sum")
    comparison  = optional(string, "GreaterThanThreshold")
    threshold   = number
    period      = optional(number, 60)
    periods     = optional(number, 1)
    missing     = optional(string, "notBreaching")
  }))
  default = {}

  validation {
    condition     = alltrue([for alarm in var.metrics : contains(["Average", "Maximum", "Minimum", "SampleCount", "Sum"], alarm.statistic)])
    error_message = "A statistic is Average, Maximum, Minimum, SampleCount or Sum."
  }

  validation {
    condition     = alltrue([for alarm in var.metrics : contains(["breaching", "ignore", "missing", "notBreaching"], alarm.missing)])
    error_message = "Missing data is breaching, ignore, missing or notBreaching."
  }
}

variable "objectives" {
  description = "Service level objectives: what share of all has to be good, and which of our own metrics are summed for each."
  type = map(object({
    description = string
    objective   = number
    all         = list(object({ metric = string, dimensions = optional(map(string), {}), statistic = optional(string, "Sum") }))
    good        = list(object({ metric = string, dimensions = optional(map(string), {}), statistic = optional(string, "Sum") }))
    runbook     = optional(string, "")
  }))
  default = {}

  validation {
    condition     = alltrue([for slo in var.objectives : slo.objective >= 0.9 && slo.objective < 1])
    error_message = "An objective is a share from 0.9 up to, but not, 1: without a budget for errors nothing can burn."
  }

  validation {
    condition     = alltrue([for slo in var.objectives : length(slo.all) > 0 && length(slo.good) > 0 && length(distinct(concat(slo.all, slo.good))) <= 10])
    error_message = "An objective is reckoned from at least one metric of all and one of good; CloudWatch takes 10 different ones in an alarm."
  }
}
