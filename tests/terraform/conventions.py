"""Rules for the Terraform sources beyond those of Terraform and checkov. Each returns its violations."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.terraform.sources import Block, Sources

Rule = Callable[[Sources], Sequence[str]]

WILDCARD = re.compile(r'\*"|/\*/')
BOUNDARY = "permissions_boundary_arn"
_COMMENT_LINES = 12
"""Maximum distance in lines between a wildcard and its comment."""
_MINIMUM_KMS_WINDOW = 7
"""Minimum waiting period of KMS before a key is deleted, in days."""


def variables_have_a_type_and_a_description(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if not {"description", "type"} <= it.body.keys()]


def outputs_have_a_description(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("output") if "description" not in it.body]


def variables_avoid_the_type_any(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if re.search(r"\bany\b", str(it.body.get("type")))]


def variables_are_not_switches(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if it.name.startswith(("create_", "enable_"))]


def wildcards_have_a_comment(sources: Sources) -> Sequence[str]:
    return [
        f"{path}:{number}"
        for path, text in sources.texts.items()
        for number, line, block in _lines_with_block(text)
        if WILDCARD.search(line.split(" # ")[0]) and "# " not in block
    ]


def queues_have_a_dlq(sources: Sources) -> Sequence[str]:
    dlqs = _dlqs(sources)
    queues = sources.resources("aws_sqs_queue")
    return [str(it) for it in queues if it not in dlqs and not any(_redrives_to(it, other) for other in dlqs)]


def dlqs_have_an_alarm(sources: Sources) -> Sequence[str]:
    alarms = list(sources.resources("aws_cloudwatch_metric_alarm"))
    return [
        str(it)
        for it in _dlqs(sources)
        if not any(alarm.folder == it.folder and alarm.refers_to(it) for alarm in alarms)
    ]


def data_stores_are_encrypted(sources: Sources) -> Sequence[str]:
    encrypted: dict[str, Callable[[Block], bool]] = {
        "aws_dynamodb_table": lambda it: it.inner("server_side_encryption").get("enabled") is True,
        "aws_rds_cluster": lambda it: it.body.get("storage_encrypted") is True,
        "aws_s3_bucket": lambda it: _has(sources, it, "aws_s3_bucket_server_side_encryption_configuration"),
        "aws_sns_topic": lambda it: "kms_master_key_id" in it.body,
        "aws_sqs_queue": lambda it: it.body.get("sqs_managed_sse_enabled") is True,
        "aws_ssm_parameter": lambda it: it.body.get("type") == "SecureString",
    }
    return [str(it) for it in sources.resources(*encrypted) if not encrypted[it.type](it)]


def data_stores_are_recoverable(sources: Sources) -> Sequence[str]:
    recoverable: dict[str, Callable[[Block], bool]] = {
        "aws_dynamodb_table": lambda it: it.inner("point_in_time_recovery").get("enabled") is True,
        "aws_kms_key": lambda it: _number(it.body.get("deletion_window_in_days")) >= _MINIMUM_KMS_WINDOW,
        "aws_rds_cluster": lambda it: (
            "backup_retention_period" in it.body and it.body.get("skip_final_snapshot") is not True
        ),
        "aws_s3_bucket": lambda it: _has(sources, it, "aws_s3_bucket_versioning"),
    }
    return [str(it) for it in sources.resources(*recoverable) if not recoverable[it.type](it)]


def data_stores_follow_var_protected(sources: Sources) -> Sequence[str]:
    protected = {
        "aws_cognito_user_pool": "deletion_protection",
        "aws_dynamodb_table": "deletion_protection_enabled",
        "aws_lb": "enable_deletion_protection",
        "aws_rds_cluster": "deletion_protection",
        "aws_s3_bucket": "force_destroy",
    }
    return [
        str(it)
        for it in sources.resources(*protected)
        if "var.protected" not in str(it.body.get(protected[it.type]))
    ]


def log_groups_have_a_retention(sources: Sources) -> Sequence[str]:
    groups = sources.resources("aws_cloudwatch_log_group")
    return [str(it) for it in groups if not it.body.get("retention_in_days")]


def roles_of_modules_take_the_boundary(sources: Sources) -> Sequence[str]:
    """Each role has the boundary that its module is given, and each module passes it on."""
    takers = {Path(it.folder).name for it in sources.every("variable") if it.name == BOUNDARY}
    roles = [it for it in sources.resources("aws_iam_role") if it.folder.startswith("modules/")]
    calls = [it for it in sources.every("module") if Path(str(it.body["source"])).name in takers]
    return [
        *(str(it) for it in roles if it.body.get("permissions_boundary") != f"${{var.{BOUNDARY}}}"),
        *(str(it) for it in calls if it.folder.startswith("modules/") and BOUNDARY not in it.body),
    ]


RULES: Sequence[Rule] = (
    variables_have_a_type_and_a_description,
    outputs_have_a_description,
    variables_avoid_the_type_any,
    variables_are_not_switches,
    wildcards_have_a_comment,
    queues_have_a_dlq,
    dlqs_have_an_alarm,
    data_stores_are_encrypted,
    data_stores_are_recoverable,
    data_stores_follow_var_protected,
    log_groups_have_a_retention,
    roles_of_modules_take_the_boundary,
)


def _lines_with_block(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each line with its number and the text back to the last blank line."""
    block: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        block = [*block, line] if line.strip() else []
        if "condition" not in line and not line.lstrip().startswith("#"):
            yield number, line, "\n".join(block[-_COMMENT_LINES:])


def _redrives_to(queue: Block, other: Block) -> bool:
    target = f"aws_sqs_queue.{other.name}.arn"
    return queue.folder == other.folder and target in str(queue.body.get("redrive_policy"))


def _dlqs(sources: Sources) -> Sequence[Block]:
    """Return the queues that receive what another queue, or an event source mapping, gives up."""
    queues = list(sources.resources("aws_sqs_queue"))
    mappings = list(sources.resources("aws_lambda_event_source_mapping"))
    return [
        it
        for it in queues
        if any(_redrives_to(queue, it) for queue in queues)
        or any(_sends_failures_to(mapping, it) for mapping in mappings)
    ]


def _sends_failures_to(mapping: Block, queue: Block) -> bool:
    target = f"aws_sqs_queue.{queue.name}.arn"
    return mapping.folder == queue.folder and target in str(mapping.body.get("destination_config"))


def _has(sources: Sources, bucket: Block, kind: str) -> bool:
    return any(it.folder == bucket.folder and it.refers_to(bucket) for it in sources.resources(kind))


def _number(value: Any) -> int:  # noqa: ANN401 - any HCL value
    return value if isinstance(value, int) else 0
