variable "package_folder" {
  description = "Where `make package PLATFORM=host` has put the zips."
  type        = string
  default     = "../../../build"
}

variable "architecture" {
  description = "This machine's processor."
  type        = string
  default     = "x86_64"
}

variable "hold_seconds" {
  description = "How long a reservation waits for its payment; null for what infra/functions.yaml says."
  type        = number
  default     = null
}

variable "concurrency_limit" {
  description = "How many batches of one consumer run at a time: as many as there are cores, and at least 2."
  type        = number
  default     = 2
}

variable "database" {
  description = "The PostgreSQL of this machine, which lets everybody in; null for no read side."
  type = object({
    host        = string
    port        = number
    sslmode     = optional(string, "disable")
    resource_id = optional(string, "cluster-LOCAL")
    secret_arn  = string
  })
  default = null
}
