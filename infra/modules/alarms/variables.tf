variable "prefix" {
  description = "Prefix of every name: environment and project, such as dev-pulsequeue. Also the CloudWatch namespace of our own metrics."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, such as dev-pulsequeue."
  }
}

variable "emails" {
  description = "E-mail addresses to notify; each must confirm the SNS subscription."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "Give e-mail addresses, such as team@example.com."
  }
}

variable "webhooks" {
  description = "HTTPS webhooks to notify, of services that confirm SNS subscriptions (PagerDuty, Opsgenie, Grafana OnCall)."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for url in var.webhooks : startswith(url, "https://")])
    error_message = "Webhooks must be https URLs."
  }

  validation {
    condition     = alltrue([for url in var.webhooks : !startswith(url, "https://hooks.slack.com/")])
    error_message = "Slack webhooks do not confirm SNS subscriptions and would receive nothing; use `slack`."
  }
}

variable "slack" {
  description = "Slack channel to notify, through AWS's own app; authorize the app for the workspace once, in the AWS console."
  type        = object({ workspace_id = string, channel_id = string })
  default     = null

  validation {
    condition     = var.slack == null || try(can(regex("^T[A-Z0-9]+$", var.slack.workspace_id)) && can(regex("^[CG][A-Z0-9]+$", var.slack.channel_id)), false)
    error_message = "Give Slack's ids (workspace T..., channel C...), not names."
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
    error_message = "statistic must be Average, Maximum, Minimum, SampleCount or Sum."
  }

  validation {
    condition     = alltrue([for alarm in var.metrics : contains(["breaching", "ignore", "missing", "notBreaching"], alarm.missing)])
    error_message = "missing must be breaching, ignore, missing or notBreaching."
  }
}

variable "objectives" {
  description = "Service level objectives: the share of good events, and the metrics summed for all and for good events."
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
    error_message = "objective must be at least 0.9 and below 1; at 1 there is no error budget."
  }

  validation {
    condition     = alltrue([for slo in var.objectives : length(slo.all) > 0 && length(slo.good) > 0 && length(distinct(concat(slo.all, slo.good))) <= 10])
    error_message = "An objective needs at least one metric in all and one in good, and at most 10 different metrics, the limit of a CloudWatch alarm."
  }
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}
