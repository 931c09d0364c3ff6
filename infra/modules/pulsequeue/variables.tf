variable "environment" {
  description = "Name of the environment; prefix of every resource name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.environment))
    error_message = "The environment must have at most 16 lower-case letters, digits and dashes, starting with a letter."
  }
}

variable "package_folder" {
  description = "Folder of the zips built by `make package`, one per service."
  type        = string
}

variable "runs_on" {
  description = "Python runtime and architecture the packages were built for."
  type = object({
    runtime      = optional(string, "python3.13")
    architecture = optional(string, "arm64")
  })
  default = {}
}

variable "database" {
  description = "Address and credentials of PostgreSQL; null for an environment without a read side."
  type = object({
    host               = string
    port               = number
    name               = optional(string, "pulsequeue")
    sslmode            = optional(string, "verify-full")
    resource_id        = string
    secret_arn         = string
    secret_name        = optional(string)
    secret_key_arn     = optional(string)
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.database == null ? true : contains(["disable", "require", "verify-full"], var.database.sslmode)
    error_message = "sslmode must be disable, require or verify-full."
  }
}

variable "protected" {
  description = "Whether resources that hold data are protected from deletion."
  type        = bool
  default     = true
}

variable "hold_seconds" {
  description = "Seconds that a reservation waits for its payment; null for the default of infra/functions.yaml."
  type        = number
  default     = null

  validation {
    condition     = var.hold_seconds == null ? true : var.hold_seconds >= 1 && var.hold_seconds <= 900
    error_message = "hold_seconds must be 1 to 900, the longest delay of SQS."
  }
}

variable "payment_gateway" {
  description = "Payment gateway: simulated, which moves no money, or stripe, whose keys are secrets to set."
  type        = string
  default     = "simulated"
  nullable    = false

  validation {
    condition     = contains(["simulated", "stripe"], var.payment_gateway)
    error_message = "payment_gateway must be simulated or stripe."
  }
}

variable "concurrency_limit" {
  description = "Maximum concurrency of each consumer if lower than in infra/functions.yaml; null for no further limit."
  type        = number
  default     = null

  validation {
    condition     = var.concurrency_limit == null ? true : var.concurrency_limit >= 2
    error_message = "concurrency_limit must be at least 2, the minimum of SQS event source mappings."
  }
}

variable "traced" {
  description = "Whether X-Ray traces the functions; each trace is billed."
  type        = bool
  default     = true
}

variable "cold_starts" {
  description = "SnapStart or provisioned concurrency by short function name, as in module `function`; none by default."
  type = map(object({
    snapstart               = optional(bool, false)
    provisioned_concurrency = optional(number, 0)
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.cold_starts) : contains(keys(local.functions), name)])
    error_message = "The keys of cold_starts must be function names of infra/functions.yaml."
  }
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

variable "restore" {
  description = "Tables to make from others when they are created, by short name, as in module `table`."
  type        = map(object({ source = string, at = optional(string) }))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.restore) : contains(keys(local.topology.tables), name)])
    error_message = "The keys of restore must be tables of infra/functions.yaml."
  }
}

variable "firewall_arn" {
  description = "ARN of the web application firewall before the console and the API, as module `firewall` makes it; null for none."
  type        = string
  default     = null
}

variable "emulator" {
  description = "Address of an emulator, which stands in for AWS's names of the API; null on AWS."
  type = object({
    host = string
    port = number
  })
  default = null
}

variable "console_url" {
  description = "Origin of the console, where people come back to after they signed in, while there is no console_domain; default: the development server of web/."
  type        = string
  default     = "http://localhost:5173"
  nullable    = false
}

variable "sign_in_url" {
  description = "Origin of the user pool's pages and keys, for an emulator; null for AWS's own."
  type        = string
  default     = null
}

variable "github" {
  description = "Our OAuth app at GitHub, for people to sign in with it; null for no sign-in with GitHub. `url` and `api_url` are those of a server that stands in for it."
  type = object({
    client_id     = string
    client_secret = string
    url           = optional(string, "https://github.com")
    api_url       = optional(string, "https://api.github.com")
  })
  default   = null
  sensitive = true
}

variable "admins_need_second_factor" {
  description = "Whether administrators without a second factor are refused."
  type        = bool
  default     = false
}

variable "identity_providers" {
  description = "Providers that people may sign in with, beside the user pool, as in module `user-pool`."
  type = map(object({
    type          = optional(string, "OIDC")
    client_id     = string
    client_secret = string
    issuer        = optional(string)
    endpoints     = optional(map(string), {})
  }))
  default   = {}
  sensitive = true
}

variable "alarm_topic_arns" {
  description = "ARNs of the SNS topics that alarms notify."
  type        = list(string)
  default     = []
}

variable "tls_only" {
  description = "Whether queues deny requests without TLS; false for an emulator, which has no TLS."
  type        = bool
  default     = true
}

variable "extra_variables" {
  description = "Further environment variables of every function."
  type        = map(string)
  default     = {}
}

variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary of the roles (infra/bootstrap); null for none, as on an emulator."
  type        = string
  default     = null
}

variable "runbooks_url" {
  description = "Where the pages of docs/runbooks are; descriptions of alarms name them below it."
  type        = string
  default     = "docs/runbooks"
}
