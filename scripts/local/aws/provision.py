"""Creates or updates on the emulator what infra/functions.yaml describes."""

from __future__ import annotations

import contextlib
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scripts.environment.lambda_env import LOCAL_ACCOUNT, DatabaseAddress, LambdaEnvInputs, SignIn, variables
from scripts.environment.topology import (
    Consumer,
    Endpoint,
    PoolTrigger,
    Scheduled,
    Socket,
    SocketAuthorizer,
    StreamConsumer,
    Task,
)
from scripts.local import postgres
from scripts.local.aws.federation import make_providers
from scripts.local.aws.site import Site, make_site
from scripts.local.aws.socket import make_socket
from scripts.local.aws.streams import connect_stream
from scripts.local.aws.triggers import (
    Api,
    connect_buckets,
    connect_queue,
    make_api,
    make_queues,
    route,
    route_url,
    schedule,
)
from scripts.local.aws.user_pool import (
    connect_console,
    connect_pool,
    generate_password,
    make_user_pool,
    seed_users,
)
from scripts.packaging.packages import services_alone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef, StreamSpecificationTypeDef
    from mypy_boto3_lambda.type_defs import EnvironmentTypeDef

    from scripts.environment.environment import Environment
    from scripts.environment.topology import Table

RUNTIME: Final = "python3.13"
_SERVICES: Final = (
    *("apigatewayv2", "cloudfront", "cognito-idp", "dynamodb", "events", "iam", "kms"),
    *("lambda", "logs", "s3", "scheduler", "secretsmanager", "sns", "sqs", "ssm"),
)

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
_LOCAL_VARIABLES = {
    "POWERTOOLS_TRACE_DISABLED": "true",
    "FOUNDING_ALLOWED": "true",
    "WEBHOOKS_ALLOW_LOCAL": "true",
}


_NO_DATABASE: Final = DatabaseAddress(postgres.HOST, 5432, "disable")
"""For an emulator without a database."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values of one stack that replace those of infra/functions.yaml or of AWS."""

    hold_seconds: int | None = None
    retry_seconds: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Values of secrets; any other is generated once."""
    database: DatabaseAddress = _NO_DATABASE
    users_password: str = field(default_factory=generate_password, repr=False)
    web_origins: Sequence[str] = ()
    identity_provider_url: str | None = None
    """Who plays Google and GitHub; None where people sign in on the pool's page only."""


def provision(environment: Environment, overrides: Overrides) -> Site:
    """Create or update everything, the functions in parallel; return the one origin."""
    topology, names = environment.topology, environment.names
    # The emulator runs functions on this Python, which has their dependencies.
    package = services_alone()
    for service in _SERVICES:
        environment.clients.client(service)  # created here, so that the threads do not wait for it
    for table, spec in topology.tables.items():
        _table(environment, names.table(table), spec)
    for secret in sorted({it for function in topology.functions.values() for it in function.secrets}):
        _secret(environment, names.secret(secret), overrides.secrets.get(secret))
    for bucket in topology.buckets:
        environment.client("s3").create_bucket(Bucket=names.bucket(bucket, LOCAL_ACCOUNT))
    _archive(environment, _bus(environment))
    _database_secret(environment)
    users = make_user_pool(environment)
    api = make_api(environment, users, overrides.web_origins)
    site = make_site(environment, api.id)
    github = (
        make_providers(
            environment,
            users.id,
            url,
            route_url(environment.client("cognito-idp").meta.endpoint_url, api.id, ""),
        )
        if (url := overrides.identity_provider_url)
        else None
    )
    shared = _Shared(package, overrides, api, connect_console(environment, users, site.url, github))
    _log_group(environment, names.operations_log_group)
    with ThreadPoolExecutor(max_workers=len(topology.functions)) as pool:
        for future in [pool.submit(_with_trigger, environment, name, shared) for name in topology.functions]:
            future.result()
    make_socket(environment)  # its functions exist by now
    seed_users(environment, overrides.users_password)
    return site


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all functions share."""

    package: bytes
    overrides: Overrides
    api: Api
    sign_in: SignIn


def _with_trigger(environment: Environment, name: str, shared: _Shared) -> None:
    """Create a function and its trigger."""
    overrides, api = shared.overrides, shared.api
    topology, spec = environment.topology, environment.topology.function(name)
    hold = overrides.hold_seconds or topology.settings.hold_seconds
    retry = overrides.retry_seconds
    _log_group(environment, environment.names.log_group(name))
    role = _role(environment, name)

    def function(queue_url: str = "", dead_letter_queue_url: str = "") -> str:
        inputs = LambdaEnvInputs(
            hold,
            overrides.database,
            queue_url,
            dead_letter_queue_url,
            overrides.web_origins,
            api.user_pool_id,
            shared.sign_in,
        )
        env_vars = variables(environment.names, topology, name, inputs)
        if retry is not None:
            env_vars["MAX_RETRY_SECONDS"] = str(retry)
        return _function(
            environment, name, shared.package, role, {**env_vars, **_LOCAL_VARIABLES, **overrides.variables}
        )

    match spec:
        case Consumer():
            queues = make_queues(environment, name, spec, hold_seconds=hold, retry_seconds=retry)
            function(queues.url, queues.dead_letter_url)
            connect_queue(environment, name, spec, queues)
            connect_buckets(environment, name, queues)
        case Scheduled():
            arn = function()
            _reserve(environment, name, spec.reserved_concurrency)
            schedule(environment, name, spec, arn, role)
        case Endpoint():
            route(environment, api, spec, function())
            _reserve(environment, name, spec.reserved_concurrency)
        case PoolTrigger():
            connect_pool(environment, function())
        case Task(invoked_by="alarms"):
            _subscribe(environment, function())
        case StreamConsumer():
            connect_stream(environment, name, spec, function())
        case Socket() | SocketAuthorizer() | Task():
            function()


def _table(environment: Environment, name: str, spec: Table) -> None:
    dynamodb = environment.client("dynamodb")
    keys: list[KeySchemaElementTypeDef] = [{"AttributeName": spec.key, "KeyType": "HASH"}]
    if spec.sort is not None:
        keys.append({"AttributeName": spec.sort, "KeyType": "RANGE"})
    stream: StreamSpecificationTypeDef = {"StreamEnabled": False}
    if spec.stream:
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    with contextlib.suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": it["AttributeName"], "AttributeType": "S"} for it in keys
            ],
            KeySchema=keys,
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=stream,
        )
    if spec.ttl is None:
        return
    # AWS rejects enabling it twice.
    current = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if current.get("TimeToLiveStatus") not in {"ENABLED", "ENABLING"}:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": spec.ttl}
        )


def _secret(environment: Environment, name: str, value: str | None) -> None:
    ssm = environment.client("ssm")
    if value is not None:
        ssm.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)
        return
    with contextlib.suppress(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name=name, Value=secrets.token_urlsafe(32), Type="SecureString")


def _database_secret(environment: Environment) -> None:
    manager, name = environment.client("secretsmanager"), environment.names.database_secret
    # The local PostgreSQL needs no password.
    credentials = json.dumps({"username": postgres.SUPERUSER, "password": ""})
    try:
        manager.create_secret(Name=name, SecretString=credentials)
    except manager.exceptions.ResourceExistsException:
        manager.put_secret_value(SecretId=name, SecretString=credentials)


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


def _role(environment: Environment, name: str) -> str:
    # Without permissions: the local emulator does not enforce IAM; tests/terraform covers the roles.
    iam, role = environment.client("iam"), environment.names.role(name)
    try:
        return iam.create_role(RoleName=role, AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    except iam.exceptions.EntityAlreadyExistsException:
        return iam.get_role(RoleName=role)["Role"]["Arn"]


def _function(
    environment: Environment, name: str, package: bytes, role: str, env_vars: Mapping[str, str]
) -> str:
    functions, full_name = environment.client("lambda"), environment.names.function(name)
    spec = environment.topology.function(name)
    env: EnvironmentTypeDef = {"Variables": dict(env_vars)}
    try:
        return functions.create_function(
            FunctionName=full_name,
            Description=spec.description,
            Runtime=RUNTIME,
            Role=role,
            Handler=spec.handler,
            Code={"ZipFile": package},
            MemorySize=spec.memory_mb,
            Timeout=spec.timeout_seconds,
            Environment=env,
        )["FunctionArn"]
    except functions.exceptions.ResourceConflictException:
        functions.update_function_code(FunctionName=full_name, ZipFile=package)
        return functions.update_function_configuration(
            FunctionName=full_name,
            Description=spec.description,
            Runtime=RUNTIME,
            Role=role,
            Handler=spec.handler,
            MemorySize=spec.memory_mb,
            Timeout=spec.timeout_seconds,
            Environment=env,
        )["FunctionArn"]


def _subscribe(environment: Environment, function_arn: str) -> None:
    """Connect the topic of alarms to a function."""
    sns = environment.client("sns")
    topic = sns.create_topic(Name=environment.names.alarm_topic)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function_arn)


def _reserve(environment: Environment, name: str, concurrency: int | None) -> None:
    functions, full_name = environment.client("lambda"), environment.names.function(name)
    if concurrency is None:
        functions.delete_function_concurrency(FunctionName=full_name)
    else:
        functions.put_function_concurrency(FunctionName=full_name, ReservedConcurrentExecutions=concurrency)
