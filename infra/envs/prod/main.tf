# Protected from deletion, in three zones, with notifications.
provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "pulsequeue", environment = "prod" }
  }
}

# Certificates and firewalls of CloudFront.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = { project = "pulsequeue", environment = "prod" }
  }
}

module "environment" {
  source    = "../../modules/environment"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  environment    = "prod"
  package_folder = var.package_folder
  protected      = true
  zones          = 3
  notify         = var.notify
  monthly_usd    = var.monthly_usd
  monitoring     = var.monitoring
  web_origins    = var.web_origins
  repository     = var.repository
  console_domain = var.console_domain
  domain         = var.domain
  restore        = var.restore
  firewall       = {}
  backup         = { copy_to_vault_arn = var.backup_vault_arn }
  sign_in_with   = var.sign_in_with

  admins_need_second_factor = var.admins_need_second_factor

  database = {
    capacity    = { min = 1, max = 16 }
    instances   = 2
    endpoint    = "proxy"
    backup_days = 14
  }
}
