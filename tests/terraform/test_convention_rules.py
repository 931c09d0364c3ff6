"""Each rule tells of one fault that is planted, and says nothing of the same without it."""

import pytest

from tests.terraform import conventions
from tests.terraform.conventions import RULES, Rule
from tests.terraform.sources import Sources

QUEUES = """
resource "aws_sqs_queue" "this" {
  sqs_managed_sse_enabled = true
  redrive_policy          = jsonencode({ deadLetterTargetArn = aws_sqs_queue.letters.arn })
}

resource "aws_sqs_queue" "letters" {
  sqs_managed_sse_enabled = true
}

resource "aws_cloudwatch_metric_alarm" "letters" {
  dimensions = { QueueName = aws_sqs_queue.letters.name }
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
SAID = """
variable "names" {
  description = "What they are called."
  type        = list(string)
}

output "arn" {
  description = "What it is called by others."
  value       = "arn"
}
"""
POLICY = """
locals {
  rights = {
    Action = ["sqs:SendMessage"]
    # Tasks to come have names of their own.
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

PLANTED = [
    (conventions.variables_have_a_type_and_a_description, SAID, "  type        = list(string)", ""),
    (
        conventions.variables_have_a_type_and_a_description,
        SAID,
        '  description = "What they are called."',
        "",
    ),
    (conventions.outputs_have_a_description, SAID, '  description = "What it is called by others."', ""),
    (conventions.variables_say_what_they_hold, SAID, "list(string)", "list(any)"),
    (conventions.variables_say_what_they_hold, SAID, "list(string)", "any"),
    (conventions.variables_switch_nothing_on, SAID, '"names"', '"create_names"'),
    (
        conventions.wildcards_have_a_reason_beside_them,
        POLICY,
        "    # Tasks to come have names of their own.\n",
        "",
    ),
    (conventions.wildcards_have_a_reason_beside_them, POLICY, "= {\n", '= {\n    Action = ["s3:Get*"]\n\n'),
    (conventions.queues_have_dead_letters, QUEUES, "aws_sqs_queue.letters.arn", "var.arn"),
    (conventions.queues_have_dead_letters, QUEUES, "redrive_policy", "policy"),
    (conventions.dead_letters_are_alarmed, QUEUES, "aws_sqs_queue.letters.name", "aws_sqs_queue.this.name"),
    (conventions.what_holds_data_is_encrypted, QUEUES, "sse_enabled = true", "sse_enabled = false"),
    (conventions.what_holds_data_is_encrypted, TABLE, "server_side_encryption", "local_secondary_index"),
    (conventions.what_holds_data_is_encrypted, BUCKET, "_server_side_encryption_configuration", "_logging"),
    (conventions.what_holds_data_is_encrypted, CLUSTER, "storage_encrypted       = true", ""),
    (conventions.what_holds_data_is_encrypted, TOPIC, "kms_master_key_id", "name"),
    (conventions.what_holds_data_is_encrypted, PARAMETER, "SecureString", "String"),
    (conventions.what_holds_data_is_recoverable, TABLE, "recovery {\n    enabled = true", "recovery {"),
    (conventions.what_holds_data_is_recoverable, BUCKET, "_versioning", "_logging"),
    (conventions.what_holds_data_is_recoverable, CLUSTER, "!var.protected", "true"),
    (conventions.what_holds_data_is_recoverable, CLUSTER, "backup_retention_period", "backtrack_window"),
    (conventions.what_holds_data_is_recoverable, KEY, "= 7", "= 1"),
    *(
        (
            conventions.what_holds_data_is_protected_where_an_environment_says_so,
            source,
            "var.protected",
            "var.other",
        )
        for source in (TABLE, BUCKET, CLUSTER, POOL, BALANCER)
    ),
    (conventions.logs_are_not_kept_for_ever, LOG, "= var.log_days", "= 0"),
    (conventions.logs_are_not_kept_for_ever, LOG, "  retention_in_days = var.log_days", ""),
]


def sources(text: str) -> Sources:
    return Sources.of({"modules/planted/main.tf": text})


@pytest.mark.parametrize(("rule", "sound", "part", "fault"), PLANTED)
def test_a_planted_fault_is_told(rule: Rule, sound: str, part: str, fault: str) -> None:
    faulty = sound.replace(part, fault)

    assert rule(sources(sound)) == []
    assert rule(sources(faulty)) != []


def test_every_rule_has_a_fault_planted_for_it() -> None:
    assert {rule for rule, *_ in PLANTED} == set(RULES)


def test_what_is_told_says_where_to_look() -> None:
    told = conventions.logs_are_not_kept_for_ever(sources('resource "aws_cloudwatch_log_group" "this" {}'))

    assert told == ["modules/planted: aws_cloudwatch_log_group.this"]
