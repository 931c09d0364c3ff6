variable "prefix" {
  description = "Prefix of every name: environment and project, such as dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, such as dev-pulsequeue."
  }
}

variable "monthly_usd" {
  description = "Monthly budget in US dollars."
  type        = number

  validation {
    condition     = var.monthly_usd > 0
    error_message = "monthly_usd must be above 0."
  }
}

variable "tag" {
  description = "Tag of the costs to count; activate it once as a cost allocation tag of the account. Null counts the whole account."
  type        = object({ key = string, value = string })
  default     = null
}

variable "emails" {
  description = "E-mail addresses to notify."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "AWS Budgets notifies at most 10 e-mail addresses."
  }
}

variable "topic_arn" {
  description = "SNS topic to notify as well; its policy has to let AWS Budgets publish."
  type        = string
  default     = null

  validation {
    condition     = var.topic_arn == null || can(regex("^arn:[a-z-]+:sns:", var.topic_arn))
    error_message = "Give the ARN of the topic."
  }
}
