variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _-]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits, blanks, dashes and underscores."
  }
}

variable "functions" {
  description = "Functions behind the API, by short name: function name, alias, alias ARN, routes, whether callers are `users` (a token is required) or `anyone`, and requests per second of each route if fewer than all others may have."
  type = map(object({
    name    = string
    alias   = string
    arn     = string
    routes  = list(string)
    callers = optional(string, "anyone")

    requests_per_second = optional(number)
  }))

  validation {
    condition     = alltrue([for it in values(var.functions) : contains(["users", "anyone"], it.callers)])
    error_message = "callers must be `users` or `anyone`."
  }

  validation {
    condition = alltrue(flatten([for it in values(var.functions) : [
      for route in it.routes : can(regex("^(GET|POST|PUT|PATCH|DELETE) /[a-zA-Z0-9/{}._+-]*$", route))
    ]]))
    error_message = "A route must be a method and a path, such as `GET /metrics`; ANY is not allowed, because it would catch preflight requests."
  }

  validation {
    condition     = alltrue([for it in values(var.functions) : it.requests_per_second == null ? true : it.requests_per_second >= 1])
    error_message = "requests_per_second of a function must be at least 1."
  }

  validation {
    condition     = length(distinct(flatten([for it in values(var.functions) : it.routes]))) == length(flatten([for it in values(var.functions) : it.routes]))
    error_message = "Each route must belong to one function."
  }
}

variable "users" {
  description = "Issuer and audiences (client ids) of the accepted JWTs."
  type = object({
    issuer     = string
    client_ids = list(string)
  })

  validation {
    condition     = startswith(var.users.issuer, "https://")
    error_message = "The issuer must be an https URL."
  }
}

variable "web_origins" {
  description = "Origins of other web pages that may call the API (CORS)."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin must be a scheme and a host, such as https://console.example.com; `*` is not allowed."
  }
}

variable "requests_per_second" {
  description = "Sustained requests per second of each route; bursts may be twice as large."
  type        = number
  default     = 50

  validation {
    condition     = var.requests_per_second >= 1
    error_message = "requests_per_second must be at least 1."
  }
}

variable "log_days" {
  description = "Retention of the access log, in days."
  type        = number
  default     = 30
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that alarms notify."
  type        = list(string)
  default     = []
}

variable "slow_request_ms" {
  description = "Latency of the slowest hundredth of requests that raises an alarm, in milliseconds."
  type        = number
  default     = 3000

  validation {
    condition     = var.slow_request_ms >= 100 && var.slow_request_ms <= 30000
    error_message = "slow_request_ms must be 100 to 30,000; an HTTP API gives up after 30 s."
  }
}

variable "runbooks_url" {
  description = "Where the pages of docs/runbooks are; descriptions of alarms name them below it."
  type        = string
  default     = "docs/runbooks"
}
