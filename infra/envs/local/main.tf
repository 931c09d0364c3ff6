# The emulator of the local stack, at AWS_ENDPOINT_URL.
provider "aws" {
  s3_use_path_style = true

  default_tags {
    tags = { project = "pulsequeue", environment = "local" }
  }
}

module "pulsequeue" {
  source = "../../modules/pulsequeue"

  environment       = "local"
  package_folder    = var.package_folder
  runs_on           = { runtime = "python3.13", architecture = var.architecture }
  database          = var.database
  hold_seconds      = var.hold_seconds
  protected         = false
  tls_only          = false
  concurrency_limit = var.concurrency_limit
  web_origins       = var.web_origins
  emulator          = { host = "127.0.0.1", port = var.emulator_port }
  sign_in_url       = var.emulator_url
  github            = var.github

  # There is no X-Ray daemon on this machine. Whoever signs in may found an organization, and webhooks may stay on it.
  extra_variables = { POWERTOOLS_TRACE_DISABLED = "true", FOUNDING_ALLOWED = "true", WEBHOOKS_ALLOW_LOCAL = "true" }
}
