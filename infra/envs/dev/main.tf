# Small and cheap; can be recreated at any time.
provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "pulsequeue", environment = var.environment }
  }
}

# Certificates and firewalls of CloudFront.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = { project = "pulsequeue", environment = var.environment }
  }
}

module "environment" {
  source    = "../../modules/environment"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  environment    = var.environment
  package_folder = var.package_folder
  protected      = false
  zones          = 2
  notify         = var.notify
  monthly_usd    = var.monitoring == null ? 400 : 560 # notifies at 80 %, which is above the cost of a month without orders
  monitoring     = var.monitoring
  web_origins    = var.web_origins
  repository     = var.repository
  console_domain = var.console_domain
  domain         = var.domain
  restore        = var.restore
  sign_in_with   = var.sign_in_with

  admins_need_second_factor = var.admins_need_second_factor

  database = {
    capacity    = { min = 0, max = 2 } # pauses when nobody uses it
    instances   = 1
    endpoint    = "cluster" # a proxy costs more than this database
    backup_days = 1
  }
}
