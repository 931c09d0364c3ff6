variable "name" {
  description = "Name of the API."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9 _-]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits, blanks, dashes and underscores."
  }
}

variable "functions" {
  description = "What answers, by short name: the function's name, its alias and that one's ARN, the routes that lead to it, and whether they are for users with a token or for anyone."
  type = map(object({
    name    = string
    alias   = string
    arn     = string
    routes  = list(string)
    callers = optional(string, "anyone")
  }))

  validation {
    condition     = alltrue([for it in values(var.functions) : contains(["users", "anyone"], it.callers)])
    error_message = "Callers are `users` or `anyone`."
  }

  validation {
    condition = alltrue(flatten([for it in values(var.functions) : [
      for route in it.routes : can(regex("^(ANY|GET|POST|PUT|PATCH|DELETE) /[a-zA-Z0-9/{}_+-]*$", route))
    ]]))
    error_message = "A route is a method and a path, such as `GET /metrics`."
  }

  validation {
    condition     = length(distinct(flatten([for it in values(var.functions) : it.routes]))) == length(flatten([for it in values(var.functions) : it.routes]))
    error_message = "A route leads to one function."
  }
}

variable "users" {
  description = "Whose tokens are taken: who signs them, and whom they are made out to."
  type = object({
    issuer    = string
    client_id = string
  })

  validation {
    condition     = startswith(var.users.issuer, "https://")
    error_message = "The issuer is an https address."
  }
}

variable "web_origins" {
  description = "Web pages elsewhere that may ask."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https?://[^/*]+$", origin))])
    error_message = "An origin is a scheme and a host, such as https://console.example.com, and never `*`."
  }
}

variable "requests_per_second" {
  description = "How many requests are let through in the long run; twice as many at once."
  type        = number
  default     = 50

  validation {
    condition     = var.requests_per_second >= 1
    error_message = "At least one request a second."
  }
}

variable "log_days" {
  description = "How long the log of requests is kept."
  type        = number
  default     = 30
}
