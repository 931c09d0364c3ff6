"""Creates on the emulator what infra/functions.yaml describes; running it again brings it up to date."""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scripts.topology import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_lambda.type_defs import EnvironmentTypeDef, ScalingConfigTypeDef
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from scripts.environment import Environment
    from scripts.topology import Function

RUNTIME: Final = "python3.13"

_SECONDS_PER_DAY = 86_400
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
# There is no X-Ray daemon on this machine to send traces to.
_LOCAL_VARIABLES = {"POWERTOOLS_TRACE_DISABLED": "true"}


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one stack has otherwise than infra/functions.yaml says."""

    hold_seconds: int | None = None
    retry_seconds: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def provision(environment: Environment, overrides: Overrides) -> None:
    """Create or update everything, functions side by side."""
    topology = environment.topology
    package = build_package(CHECKOUT / "services")
    for service in ("dynamodb", "events", "sqs", "iam", "lambda", "logs"):
        environment.clients.client(service)  # made here, so that the threads do not queue for it
    for table, spec in topology.tables.items():
        _table(environment, environment.names.table(table), spec.key)
    bus_arn = _bus(environment)
    _archive(environment, bus_arn)
    _log_group(environment, environment.names.operations_log_group)
    with ThreadPoolExecutor(max_workers=len(topology.functions)) as pool:
        for done in [
            pool.submit(_function_with_queue, environment, name, spec, package, overrides)
            for name, spec in topology.functions.items()
        ]:
            done.result()


def build_package(services: Path) -> bytes:
    """Zip the services, and nothing else; the same sources give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(services.rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts or path.suffix == ".md":
                continue
            entry = zipfile.ZipInfo(path.relative_to(services.parent).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _table(environment: Environment, name: str, key: str) -> None:
    dynamodb = environment.client("dynamodb")
    try:
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except dynamodb.exceptions.ResourceInUseException:
        return


def _bus(environment: Environment) -> str:
    events, name = environment.client("events"), environment.names.bus
    try:
        return events.create_event_bus(Name=name)["EventBusArn"]
    except events.exceptions.ResourceAlreadyExistsException:
        return events.describe_event_bus(Name=name)["Arn"]


def _archive(environment: Environment, bus_arn: str) -> None:
    events, name = environment.client("events"), environment.names.archive
    days = environment.topology.settings.archive_days
    try:
        events.create_archive(ArchiveName=name, EventSourceArn=bus_arn, RetentionDays=days)
    except events.exceptions.ResourceAlreadyExistsException:
        events.update_archive(ArchiveName=name, RetentionDays=days)


def _log_group(environment: Environment, name: str) -> None:
    logs = environment.client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=environment.topology.settings.log_days)


def _function_with_queue(
    environment: Environment, name: str, spec: Function, package: bytes, overrides: Overrides
) -> None:
    hold = overrides.hold_seconds or environment.topology.settings.hold_seconds
    dead_letter_url, dead_letter_arn = _queue(environment, environment.names.dead_letter_queue(name), {})
    redrive = {
        "deadLetterTargetArn": dead_letter_arn,
        "maxReceiveCount": environment.topology.settings.max_receives,
    }
    _, queue_arn = _queue(
        environment,
        environment.names.queue(name),
        {
            "DelaySeconds": str(spec.delay_seconds(hold)),
            "VisibilityTimeout": str(overrides.retry_seconds or spec.visibility_timeout_seconds),
            "RedrivePolicy": json.dumps(redrive),
        },
    )
    _log_group(environment, environment.names.log_group(name))
    variables = {
        **environment.names.function_environment(
            name, dead_letter_queue_url=dead_letter_url, hold_seconds=hold
        ),
        **_LOCAL_VARIABLES,
        **overrides.variables,
    }
    _function(environment, name, spec, package, variables)
    _mapping(environment, name, spec, queue_arn)
    # Last, so that nothing arrives before there is someone to take it.
    _rule(environment, name, spec, queue_arn)


def _queue(
    environment: Environment, name: str, attributes: Mapping[QueueAttributeNameType, str]
) -> tuple[str, str]:
    sqs = environment.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    retention = environment.topology.settings.retention_days * _SECONDS_PER_DAY
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"MessageRetentionPeriod": str(retention), **attributes}
    )
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def _role(environment: Environment, name: str) -> str:
    # Without permissions: those are Terraform's to write and its tests' to prove; nothing checks them here.
    iam, role = environment.client("iam"), environment.names.role(name)
    try:
        return iam.create_role(RoleName=role, AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return iam.get_role(RoleName=role)["Role"]["Arn"]


def _function(
    environment: Environment, name: str, spec: Function, package: bytes, variables: dict[str, str]
) -> None:
    functions, full_name = environment.client("lambda"), environment.names.function(name)
    role = _role(environment, name)
    described: EnvironmentTypeDef = {"Variables": variables}
    try:
        functions.create_function(
            FunctionName=full_name,
            Description=spec.description,
            Runtime=RUNTIME,
            Role=role,
            Handler=spec.handler,
            Code={"ZipFile": package},
            MemorySize=spec.memory_mb,
            Timeout=spec.timeout_seconds,
            Environment=described,
        )
    except functions.exceptions.ResourceConflictException:
        functions.update_function_code(FunctionName=full_name, ZipFile=package)
        functions.update_function_configuration(
            FunctionName=full_name,
            Description=spec.description,
            Runtime=RUNTIME,
            Role=role,
            Handler=spec.handler,
            MemorySize=spec.memory_mb,
            Timeout=spec.timeout_seconds,
            Environment=described,
        )


def _mapping(environment: Environment, name: str, spec: Function, queue_arn: str) -> None:
    functions, full_name = environment.client("lambda"), environment.names.function(name)
    scaling: ScalingConfigTypeDef = {"MaximumConcurrency": local_concurrency(spec.maximum_concurrency)}
    there = functions.list_event_source_mappings(FunctionName=full_name, EventSourceArn=queue_arn)
    for mapping in there["EventSourceMappings"]:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"],
            Enabled=True,
            BatchSize=spec.batch_size,
            MaximumBatchingWindowInSeconds=spec.batch_window_seconds,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig=scaling,
        )
        return
    functions.create_event_source_mapping(
        FunctionName=full_name,
        EventSourceArn=queue_arn,
        BatchSize=spec.batch_size,
        MaximumBatchingWindowInSeconds=spec.batch_window_seconds,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig=scaling,
    )


def local_concurrency(wanted: int) -> int:
    """Run no more copies of a function side by side than there are cores (and 2, the least SQS allows).

    Ten cold starts at once on two cores keep the first order waiting for seven seconds, and warm they are no
    faster than two.
    """
    return min(wanted, max(2, os.cpu_count() or 2))


def _rule(environment: Environment, name: str, spec: Function, queue_arn: str) -> None:
    events, rule, bus = environment.client("events"), environment.names.rule(name), environment.names.bus
    events.put_rule(
        Name=rule, EventBusName=bus, EventPattern=json.dumps(spec.rule_pattern), Description=spec.description
    )
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue_arn}])
