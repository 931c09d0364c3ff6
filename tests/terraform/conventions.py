"""Rules for all of the Terraform that neither it nor checkov knows. Each names what does not keep to it."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.terraform.sources import Block, Sources

Rule = Callable[[Sources], Sequence[str]]

WILDCARD = re.compile(r'\*"|/\*/')
_NEAR = 12
"""Lines within which a reason is beside what it is for: as long as a list is."""
_SHORTEST_WINDOW = 7
"""Days that KMS waits at least before it forgets a key."""


def variables_have_a_type_and_a_description(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if not {"description", "type"} <= it.body.keys()]


def outputs_have_a_description(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("output") if "description" not in it.body]


def variables_say_what_they_hold(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if re.search(r"\bany\b", str(it.body.get("type")))]


def variables_switch_nothing_on(sources: Sources) -> Sequence[str]:
    return [str(it) for it in sources.every("variable") if it.name.startswith(("create_", "enable_"))]


def wildcards_have_a_reason_beside_them(sources: Sources) -> Sequence[str]:
    return [
        f"{path}:{number}"
        for path, text in sources.texts.items()
        for number, line, block in _numbered(text)
        if WILDCARD.search(line.split(" # ")[0]) and "# " not in block
    ]


def queues_have_dead_letters(sources: Sources) -> Sequence[str]:
    queues = list(sources.resources("aws_sqs_queue"))
    letters = [it for it in queues if any(_sends_letters_to(queue, it) for queue in queues)]
    return [
        str(it)
        for it in queues
        if it not in letters and not any(_sends_letters_to(it, other) for other in letters)
    ]


def dead_letters_are_alarmed(sources: Sources) -> Sequence[str]:
    queues = list(sources.resources("aws_sqs_queue"))
    alarms = list(sources.resources("aws_cloudwatch_metric_alarm"))
    return [
        str(it)
        for it in queues
        if any(_sends_letters_to(queue, it) for queue in queues)
        and not any(alarm.folder == it.folder and alarm.refers_to(it) for alarm in alarms)
    ]


def what_holds_data_is_encrypted(sources: Sources) -> Sequence[str]:
    encrypted: dict[str, Callable[[Block], bool]] = {
        "aws_dynamodb_table": lambda it: it.inner("server_side_encryption").get("enabled") is True,
        "aws_rds_cluster": lambda it: it.body.get("storage_encrypted") is True,
        "aws_s3_bucket": lambda it: _has(sources, it, "aws_s3_bucket_server_side_encryption_configuration"),
        "aws_sns_topic": lambda it: "kms_master_key_id" in it.body,
        "aws_sqs_queue": lambda it: it.body.get("sqs_managed_sse_enabled") is True,
        "aws_ssm_parameter": lambda it: it.body.get("type") == "SecureString",
    }
    return [str(it) for it in sources.resources(*encrypted) if not encrypted[it.type](it)]


def what_holds_data_is_recoverable(sources: Sources) -> Sequence[str]:
    recoverable: dict[str, Callable[[Block], bool]] = {
        "aws_dynamodb_table": lambda it: it.inner("point_in_time_recovery").get("enabled") is True,
        "aws_kms_key": lambda it: _number(it.body.get("deletion_window_in_days")) >= _SHORTEST_WINDOW,
        "aws_rds_cluster": lambda it: (
            "backup_retention_period" in it.body and it.body.get("skip_final_snapshot") is not True
        ),
        "aws_s3_bucket": lambda it: _has(sources, it, "aws_s3_bucket_versioning"),
    }
    return [str(it) for it in sources.resources(*recoverable) if not recoverable[it.type](it)]


def what_holds_data_is_protected_where_an_environment_says_so(sources: Sources) -> Sequence[str]:
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


def logs_are_not_kept_for_ever(sources: Sources) -> Sequence[str]:
    groups = sources.resources("aws_cloudwatch_log_group")
    return [str(it) for it in groups if not it.body.get("retention_in_days")]


RULES: Sequence[Rule] = (
    variables_have_a_type_and_a_description,
    outputs_have_a_description,
    variables_say_what_they_hold,
    variables_switch_nothing_on,
    wildcards_have_a_reason_beside_them,
    queues_have_dead_letters,
    dead_letters_are_alarmed,
    what_holds_data_is_encrypted,
    what_holds_data_is_recoverable,
    what_holds_data_is_protected_where_an_environment_says_so,
    logs_are_not_kept_for_ever,
)


def _numbered(text: str) -> Iterator[tuple[int, str, str]]:
    """Give each line with its number and the block that it ends, back to the last blank line."""
    block: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        block = [*block, line] if line.strip() else []
        if "condition" not in line and not line.lstrip().startswith("#"):
            yield number, line, "\n".join(block[-_NEAR:])


def _sends_letters_to(queue: Block, other: Block) -> bool:
    target = f"aws_sqs_queue.{other.name}.arn"
    return queue.folder == other.folder and target in str(queue.body.get("redrive_policy"))


def _has(sources: Sources, bucket: Block, kind: str) -> bool:
    return any(it.folder == bucket.folder and it.refers_to(bucket) for it in sources.resources(kind))


def _number(value: Any) -> int:  # noqa: ANN401 - whatever stands there
    return value if isinstance(value, int) else 0
