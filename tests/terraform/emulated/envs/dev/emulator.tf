variable "emulator" {
  description = "Settings of this machine in place of those of AWS."
  type        = object({ architecture = string, concurrency_limit = number, database_port = number, hold_seconds = number, port = number })
}
