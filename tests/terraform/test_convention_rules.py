"""Each rule reports a planted fault, and nothing for the same source without it."""

import pytest

from tests.terraform import conventions
from tests.terraform.conventions import RULES, Rule
from tests.terraform.sources import Sources

QUEUES = """
resource "aws_sqs_queue" "this" {
  sqs_managed_sse_enabled = true
  redrive_policy          = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letters.arn })
}

resource "aws_sqs_queue" "dead_letters" {
  sqs_managed_sse_enabled = true
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  dimensions = { QueueName = aws_sqs_queue.dead_letters.name }
}
"""
STREAM = """
resource "aws_lambda_event_source_mapping" "this" {
  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.dead_letters.arn
    }
  }
}

resource "aws_sqs_queue" "dead_letters" {
  sqs_managed_sse_enabled = true
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  dimensions = { QueueName = aws_sqs_queue.dead_letters.name }
}
"""
TABLE = """
resource "aws_dynamodb_table" "this" {
  deletion_protection_enabled = var.protected

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}
"""
BUCKET = """
resource "aws_s3_bucket" "this" {
  force_destroy = !var.protected
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
}
"""
CLUSTER = """
resource "aws_rds_cluster" "this" {
  storage_encrypted       = true
  backup_retention_period = var.backup_days
  skip_final_snapshot     = !var.protected
  deletion_protection     = var.protected
}
"""
INTERFACE = """
variable "names" {
  description = "Names of the queues."
  type        = list(string)
}

output "arn" {
  description = "ARN of the queue."
  value       = "arn"
}
"""
POLICY = """
locals {
permissions = {
    Action = ["sqs:SendMessage"]
    # Streams are named after future tasks.
    Resource = "${local.arn}:*"
  }
}
"""
KEY = """
resource "aws_kms_key" "this" {
  deletion_window_in_days = 7
}
"""
LOG = """
resource "aws_cloudwatch_log_group" "this" {
  retention_in_days = var.log_days
}
"""
POOL = """
resource "aws_cognito_user_pool" "this" {
  deletion_protection = var.protected ? "ACTIVE" : "INACTIVE"
}
"""
TOPIC = """
resource "aws_sns_topic" "this" {
  kms_master_key_id = aws_kms_key.this.arn
}
"""
PARAMETER = """
resource "aws_ssm_parameter" "this" {
  type = "SecureString"
}
"""
BALANCER = """
resource "aws_lb" "this" {
  enable_deletion_protection = var.protected
}
"""
ROLE = """
variable "permissions_boundary_arn" {
  description = "ARN of the permissions boundary."
  type        = string
}

resource "aws_iam_role" "this" {
  permissions_boundary = var.permissions_boundary_arn
}

module "another" {
  source                   = "../planted"
  permissions_boundary_arn = var.permissions_boundary_arn
}
"""

FAULTS = [
    (conventions.variables_have_a_type_and_a_description, INTERFACE, "  type        = list(string)", ""),
    (
        conventions.variables_have_a_type_and_a_description,
        INTERFACE,
        '  description = "Names of the queues."',
        "",
    ),
    (conventions.outputs_have_a_description, INTERFACE, '  description = "ARN of the queue."', ""),
    (conventions.variables_avoid_the_type_any, INTERFACE, "list(string)", "list(any)"),
    (conventions.variables_avoid_the_type_any, INTERFACE, "list(string)", "any"),
    (conventions.variables_are_not_switches, INTERFACE, '"names"', '"create_names"'),
    (
        conventions.wildcards_have_a_comment,
        POLICY,
        "    # Streams are named after future tasks.\n",
        "",
    ),
    (conventions.wildcards_have_a_comment, POLICY, "= {\n", '= {\n    Action = ["s3:Get*"]\n\n'),
    (conventions.queues_have_a_dlq, QUEUES, "aws_sqs_queue.dead_letters.arn", "var.arn"),
    (conventions.queues_have_a_dlq, QUEUES, "redrive_policy", "policy"),
    (conventions.dlqs_have_an_alarm, QUEUES, "aws_sqs_queue.dead_letters.name", "aws_sqs_queue.this.name"),
    (conventions.queues_have_a_dlq, STREAM, "aws_sqs_queue.dead_letters.arn", "var.arn"),
    (conventions.dlqs_have_an_alarm, STREAM, "aws_sqs_queue.dead_letters.name", "var.name"),
    (conventions.data_stores_are_encrypted, QUEUES, "sse_enabled = true", "sse_enabled = false"),
    (conventions.data_stores_are_encrypted, TABLE, "server_side_encryption", "local_secondary_index"),
    (conventions.data_stores_are_encrypted, BUCKET, "_server_side_encryption_configuration", "_logging"),
    (conventions.data_stores_are_encrypted, CLUSTER, "storage_encrypted       = true", ""),
    (conventions.data_stores_are_encrypted, TOPIC, "kms_master_key_id", "name"),
    (conventions.data_stores_are_encrypted, PARAMETER, "SecureString", "String"),
    (conventions.data_stores_are_recoverable, TABLE, "recovery {\n    enabled = true", "recovery {"),
    (conventions.data_stores_are_recoverable, BUCKET, "_versioning", "_logging"),
    (conventions.data_stores_are_recoverable, CLUSTER, "!var.protected", "true"),
    (conventions.data_stores_are_recoverable, CLUSTER, "backup_retention_period", "backtrack_window"),
    (conventions.data_stores_are_recoverable, KEY, "= 7", "= 1"),
    *(
        (
            conventions.data_stores_follow_var_protected,
            source,
            "var.protected",
            "var.other",
        )
        for source in (TABLE, BUCKET, CLUSTER, POOL, BALANCER)
    ),
    (conventions.log_groups_have_a_retention, LOG, "= var.log_days", "= 0"),
    (conventions.log_groups_have_a_retention, LOG, "  retention_in_days = var.log_days", ""),
    (
        conventions.roles_of_modules_take_the_boundary,
        ROLE,
        "  permissions_boundary = var.permissions_boundary_arn\n",
        "",
    ),
    (
        conventions.roles_of_modules_take_the_boundary,
        ROLE,
        "  permissions_boundary_arn = var.permissions_boundary_arn\n",
        "",
    ),
]


def sources(text: str) -> Sources:
    return Sources.of({"modules/planted/main.tf": text})


@pytest.mark.parametrize(("rule", "valid", "part", "fault"), FAULTS)
def test_a_planted_fault_is_reported(rule: Rule, valid: str, part: str, fault: str) -> None:
    faulty = valid.replace(part, fault)

    assert rule(sources(valid)) == []
    assert rule(sources(faulty)) != []


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, *_ in FAULTS} == set(RULES)


def test_a_violation_names_the_module_and_the_resource() -> None:
    findings = conventions.log_groups_have_a_retention(
        sources('resource "aws_cloudwatch_log_group" "this" {}')
    )

    assert findings == ["modules/planted: aws_cloudwatch_log_group.this"]
