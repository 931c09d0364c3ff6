variable "name" {
  description = "Name of the bus and its archive."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]{1,48}$", var.name)) && var.name != "default"
    error_message = "The name must have 1 to 48 letters, digits, dots, dashes and underscores (an archive takes no more), and not be `default`."
  }
}

variable "archive_days" {
  description = "Days that the archive keeps events, which limits how far back a replay reaches."
  type        = number

  validation {
    condition     = var.archive_days >= 1
    error_message = "archive_days must be at least 1; 0 would keep events forever."
  }
}
