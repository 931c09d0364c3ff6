# Small, cheap, and made anew without regret.
provider "aws" {
  region = var.region

  default_tags {
    tags = { project = "pulsequeue", environment = var.environment }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment    = var.environment
  package_folder = var.package_folder
  protected      = false
  zones          = 2
  told           = var.told
  monthly_usd    = var.monitoring == null ? 300 : 450 # somebody is told at 80 %, which is above any month without orders
  monitoring     = var.monitoring
  web_origins    = ["http://localhost:3000", "http://localhost:5173"]
  repository     = var.repository

  database = {
    capacity    = { min = 0.5, max = 2 }
    instances   = 1
    way_in      = "cluster" # a proxy costs more than this database
    backup_days = 1
  }
}
