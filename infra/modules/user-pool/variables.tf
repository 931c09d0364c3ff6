variable "name" {
  description = "Name of the pool."
  type        = string

  validation {
    condition     = can(regex("^[\\w+=,.@ -]{1,128}$", var.name))
    error_message = "The name must have 1 to 128 letters, digits and signs of `+=,.@-`."
  }
}

variable "claims" {
  description = "Function that sets the claims of tokens: its name, alias and alias ARN."
  type = object({
    name  = string
    alias = string
    arn   = string
  })

  validation {
    condition     = can(regex("^arn:[^:]+:lambda:", var.claims.arn))
    error_message = "Give the ARN of the function's alias."
  }
}

variable "console_url" {
  description = "Origin of the console, where people come back to after they signed in."
  type        = string

  validation {
    condition     = can(regex("^(https://[^/*]+|http://[^/*]*localhost(:[0-9]+)?)$", var.console_url))
    error_message = "console_url must be an https origin, such as https://console.example.com, or one of localhost."
  }
}

variable "identity_providers" {
  description = "Providers that people may sign in with, beside the pool, by name: type `Google` or `OIDC`, our client there, and for OIDC the issuer and those endpoints (authorize_url, token_url, attributes_url, jwks_uri) that it does not publish."
  type = map(object({
    type          = optional(string, "OIDC")
    client_id     = string
    client_secret = string
    issuer        = optional(string)
    endpoints     = optional(map(string), {})
  }))
  default   = {}
  sensitive = true

  validation {
    condition     = alltrue([for it in values(var.identity_providers) : contains(["Google", "OIDC"], it.type) && (it.type == "Google" || it.issuer != null)])
    error_message = "The type must be Google, or OIDC with an issuer."
  }
}

variable "token_minutes" {
  description = "Validity of id and access tokens, in minutes."
  type        = number
  default     = 5

  validation {
    condition     = var.token_minutes >= 5 && var.token_minutes <= 1440
    error_message = "token_minutes must be 5 to 1,440."
  }
}

variable "protected" {
  description = "Whether it is protected from deletion."
  type        = bool
  default     = true
}
