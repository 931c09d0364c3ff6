variable "package_folder" {
  description = "Folder of the zips built by `make package PLATFORM=host`."
  type        = string
  default     = "../../../build"
}

variable "emulator_port" {
  description = "Port of the emulator."
  type        = number
  default     = 4566
}

variable "architecture" {
  description = "Architecture of this machine."
  type        = string
  default     = "x86_64"
}

variable "hold_seconds" {
  description = "Seconds that a reservation waits for its payment; null for the default of infra/functions.yaml."
  type        = number
  default     = null
}

variable "concurrency_limit" {
  description = "Maximum concurrency of each consumer: the number of cores, at least 2."
  type        = number
  default     = 2
}

variable "emulator_url" {
  description = "Origin of the emulator, which also serves the pages to sign in on."
  type        = string
  default     = "http://127.0.0.1:4566"
}

variable "database" {
  description = "PostgreSQL of this machine, which requires no password; null for no read side."
  type = object({
    host        = string
    port        = number
    sslmode     = optional(string, "disable")
    resource_id = optional(string, "cluster-LOCAL")
    secret_arn  = string
  })
  default = null
}

variable "web_origins" {
  description = "Origins of other web pages that may call the API (CORS)."
  type        = list(string)
  default     = ["http://localhost:3000", "http://localhost:5173"]
  nullable    = false
}

variable "github" {
  description = "What stands in for GitHub; null for no sign-in with GitHub."
  type = object({
    client_id     = string
    client_secret = string
    url           = string
    api_url       = string
  })
  default   = null
  sensitive = true
}
