data "aws_caller_identity" "here" {}

data "aws_partition" "here" {}

data "aws_region" "here" {}

locals {
  name     = "${var.prefix}-monitoring"
  account  = data.aws_caller_identity.here.account_id
  region   = data.aws_region.here.name
  arn_root = "arn:${data.aws_partition.here.partition}"
  env      = trimsuffix(var.prefix, "-pulsequeue")

  grafana_port = 3000
  password     = "${local.name}-admin"
  datasources  = "grafana/provisioning/datasources/"

  # What differs on AWS from the files, and where. Containers of a task share one network interface and reach each other
  # at localhost, not by name.
  replaced = {
    "grafana/provisioning/datasources/" = { from = "http://prometheus:9090", to = "http://localhost:9090" }
    "prometheus/rules/"                 = { from = "https://docs.example.com/pulsequeue/runbooks", to = var.runbooks_url }
  }
  replacement = { for file in local.files : file => one([for folder, it in local.replaced : it if startswith(file, folder)]) }

  # Everything the containers read, without the files for one machine (scrape/, compose).
  files = setunion(
    fileset(var.files, "prometheus/prometheus.yml"),
    fileset(var.files, "prometheus/rules/*.yml"),
    fileset(var.files, "grafana/*.json"),
    fileset(var.files, "grafana/provisioning/**/*.yml"),
  )

  # A new task starts when any of these files has changed.
  files_digest = sha256(join("", [for file in sort(local.files) : "${file}${filesha256("${var.files}/${file}")}"]))
}

module "files" {
  source = "../bucket"

  name            = "${local.name}-${local.account}-${local.region}"
  protected       = var.protected
  noncurrent_days = 30
}

resource "aws_s3_object" "file" {
  for_each = local.files

  bucket      = module.files.name
  key         = each.key
  source_hash = sha256("${filesha256("${var.files}/${each.key}")}${jsonencode(local.replacement[each.key])}")

  source  = local.replacement[each.key] == null ? "${var.files}/${each.key}" : null
  content = local.replacement[each.key] == null ? null : replace(file("${var.files}/${each.key}"), local.replacement[each.key].from, local.replacement[each.key].to)

  lifecycle {
    precondition {
      condition     = !startswith(each.key, local.datasources) || strcontains(file("${var.files}/${each.key}"), "url: http://prometheus:9090")
      error_message = "The data source in ${each.key} must be http://prometheus:9090, which is replaced by the Prometheus of the same task."
    }
  }
}

# Secrets Manager generates the password, which only CloudFormation can request; Terraform never sees it.
resource "aws_cloudformation_stack" "password" {
  # checkov:skip=CKV_AWS_124:Terraform waits for the stack and reports its errors to the operator who applies it.
  name               = "${local.name}-password"
  on_failure         = "DELETE"
  timeout_in_minutes = 10

  template_body = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = "The password of Grafana's administrator. Made by Terraform; change it there."
    Resources = {
      Password = {
        Type = "AWS::SecretsManager::Secret"
        Properties = {
          Name                 = local.password
          Description          = "The password of Grafana's user admin."
          GenerateSecretString = { PasswordLength = 32, ExcludePunctuation = true }
        }
      }
    }
    Outputs = { Arn = { Value = { Ref = "Password" } } }
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${local.name}"
  retention_in_days = var.log_days
}
