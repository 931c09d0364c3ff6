variable "name" {
  description = "Name of the distribution and of what belongs to it."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9-]{1,64}$", var.name))
    error_message = "The name must have 1 to 64 letters, digits and dashes."
  }
}

variable "bucket" {
  description = "Name of the bucket of the pages, globally unique."
  type        = string
}

variable "api" {
  description = "Origin of the API: its domain, the path before each request's own (none on AWS), and the port without TLS."
  type = object({
    domain    = string
    path      = optional(string, "")
    http_port = optional(number, 80)
  })

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.api.domain)) && (var.api.path == "" || can(regex("^/.*[^/]$", var.api.path)))
    error_message = "Give a domain without scheme and path, and a path that begins with a slash and ends without one."
  }
}

variable "socket" {
  description = "Domain of the WebSocket API, whose stage is `live`; null without one."
  type        = object({ domain = string })
  default     = null
}

variable "upload_addresses" {
  description = "Where pages may send files to, beside this origin: buckets that take signed forms."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for it in var.upload_addresses : can(regex("^https?://[a-z0-9.:-]+(/[a-z0-9.-]+)?$", it))])
    error_message = "Give origins, or addresses of one path, without quotes, wildcards and spaces."
  }
}

variable "domain" {
  description = "Domain of one's own, and its ACM certificate in us-east-1; null for a domain of CloudFront."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null ? true : can(regex("^arn:[a-z-]+:acm:us-east-1:", var.domain.certificate_arn))
    error_message = "CloudFront takes certificates of the region us-east-1 only."
  }
}

variable "firewall_arn" {
  description = "ARN of the web application firewall, as module `firewall` makes it; null for none."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Where CloudFront serves from: PriceClass_100 (North America and Europe), PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class must be PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "protected" {
  description = "Whether the bucket cannot be deleted while it holds files."
  type        = bool
  default     = true
}

variable "tls_only" {
  description = "Whether requests without TLS are redirected or denied; false for an emulator, which has no TLS."
  type        = bool
  default     = true
}
