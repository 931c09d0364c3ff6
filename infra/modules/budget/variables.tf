variable "prefix" {
  description = "What every name begins with: the environment and the project, as in dev-pulsequeue."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}-pulsequeue$", var.prefix))
    error_message = "The prefix must be an environment in lower case followed by -pulsequeue, as in dev-pulsequeue."
  }
}

variable "monthly_usd" {
  description = "What a month may cost, in US dollars."
  type        = number

  validation {
    condition     = var.monthly_usd > 0
    error_message = "A budget needs an amount above 0."
  }
}

variable "tag" {
  description = "The tag whose costs count. It has to be activated as a cost allocation tag once in the account. Without one, the whole account's do."
  type        = object({ key = string, value = string })
  default     = null
}

variable "emails" {
  description = "Addresses that are told."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.emails) <= 10 && alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "A budget tells at most 10 mail addresses."
  }
}

variable "topic_arn" {
  description = "The SNS topic that is told, too. Its policy has to let AWS Budgets publish."
  type        = string
  default     = null

  validation {
    condition     = var.topic_arn == null || can(regex("^arn:[a-z-]+:sns:", var.topic_arn))
    error_message = "The topic is named by its ARN."
  }
}
