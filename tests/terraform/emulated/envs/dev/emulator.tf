variable "emulator" {
  description = "What this machine has in place of AWS's own."
  type        = object({ architecture = string, concurrency_limit = number, database_port = number, hold_seconds = number })
}
