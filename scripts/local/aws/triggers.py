"""The triggers of functions on the emulator: a queue with its rule, a schedule, or routes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from scripts.environment.lambda_env import LOCAL_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_apigatewayv2.literals import AuthorizationTypeType
    from mypy_boto3_apigatewayv2.type_defs import JWTConfigurationTypeDef
    from mypy_boto3_events.type_defs import TargetTypeDef as EventTargetTypeDef
    from mypy_boto3_lambda.type_defs import ScalingConfigTypeDef
    from mypy_boto3_scheduler.type_defs import FlexibleTimeWindowTypeDef, TargetTypeDef
    from mypy_boto3_sqs.literals import QueueAttributeNameType

    from scripts.environment.environment import Environment
    from scripts.environment.topology import Consumer, Endpoint, Scheduled
    from scripts.local.aws.user_pool import UserPool

CORS_REQUEST_HEADERS: Final = (
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
)
CORS_RESPONSE_HEADERS: Final = ("etag", "link", "location", "retry-after")
"""What pages of other origins may send and read, as in infra/modules/http-api."""

_SECONDS_PER_DAY = 86_400
_MAXIMUM_RETRIES = 185
"""Retries of EventBridge within a day: its maximum, as in infra/modules/event-consumer."""
_STAGE = "$default"
_USERS = "users"


class _Authorization(TypedDict, total=False):
    AuthorizationType: AuthorizationTypeType
    AuthorizerId: str


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of a function, and its dead-letter queue."""

    arn: str
    url: str
    dead_letter_arn: str
    dead_letter_url: str


def make_queues(
    environment: Environment, name: str, spec: Consumer, *, hold_seconds: int, retry_seconds: int | None
) -> Queues:
    dead_letter_url, dead_letter_arn = make_queue(environment, environment.names.dead_letter_queue(name), {})
    redrive = {
        "deadLetterTargetArn": dead_letter_arn,
        "maxReceiveCount": spec.max_receives(environment.topology.settings),
    }
    url, arn = make_queue(
        environment,
        environment.names.queue(name),
        {
            "DelaySeconds": str(spec.delay_seconds(hold_seconds)),
            "VisibilityTimeout": str(retry_seconds or spec.visibility_timeout_seconds),
            "RedrivePolicy": json.dumps(redrive),
        },
    )
    return Queues(arn, url, dead_letter_arn, dead_letter_url)


def connect_queue(environment: Environment, name: str, spec: Consumer, queues: Queues) -> None:
    """Connect the queue to the function, then the events to the queue."""
    _mapping(environment, name, spec, queues.arn)
    # Last, so that nothing arrives before it can be consumed.
    if spec.subscriptions:
        _rule(environment, name, spec, queues)


def connect_buckets(environment: Environment, name: str, queues: Queues) -> None:
    """Send messages of uploads to the queue."""
    for bucket, spec in environment.topology.buckets.items():
        if spec.notifies == name:
            environment.client("s3").put_bucket_notification_configuration(
                Bucket=environment.names.bucket(bucket, LOCAL_ACCOUNT),
                NotificationConfiguration={
                    "QueueConfigurations": [{"QueueArn": queues.arn, "Events": ["s3:ObjectCreated:*"]}]
                },
            )


def make_queue(
    environment: Environment, name: str, attributes: Mapping[QueueAttributeNameType, str]
) -> tuple[str, str]:
    """Create or update a queue; return its URL and its ARN."""
    sqs = environment.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    retention = environment.topology.settings.retention_days * _SECONDS_PER_DAY
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"MessageRetentionPeriod": str(retention), **attributes}
    )
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def _mapping(environment: Environment, name: str, spec: Consumer, queue_arn: str) -> None:
    functions, full_name = environment.client("lambda"), environment.names.function(name)
    scaling: ScalingConfigTypeDef = {"MaximumConcurrency": local_concurrency(spec.maximum_concurrency)}
    existing = functions.list_event_source_mappings(FunctionName=full_name, EventSourceArn=queue_arn)
    for mapping in existing["EventSourceMappings"]:
        functions.update_event_source_mapping(
            UUID=mapping["UUID"],
            Enabled=True,
            BatchSize=spec.handed_over,
            MaximumBatchingWindowInSeconds=spec.batch_window_seconds,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            ScalingConfig=scaling,
        )
        return
    functions.create_event_source_mapping(
        FunctionName=full_name,
        EventSourceArn=queue_arn,
        BatchSize=spec.handed_over,
        MaximumBatchingWindowInSeconds=spec.batch_window_seconds,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig=scaling,
    )


def local_concurrency(maximum: int) -> int:
    """Limit a function's concurrency to the number of cores, at least 2, the minimum of SQS.

    Ten simultaneous cold starts on two cores delay the first order by seven seconds; warm, ten are no faster
    than two.
    """
    return min(maximum, max(2, os.cpu_count() or 2))


def _rule(environment: Environment, name: str, spec: Consumer, queues: Queues) -> None:
    events, rule, bus = environment.client("events"), environment.names.rule(name), environment.names.bus
    events.put_rule(
        Name=rule, EventBusName=bus, EventPattern=json.dumps(spec.rule_pattern), Description=spec.description
    )
    target: EventTargetTypeDef = {
        "Id": "queue",
        "Arn": queues.arn,
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": _SECONDS_PER_DAY,
            "MaximumRetryAttempts": _MAXIMUM_RETRIES,
        },
        "DeadLetterConfig": {"Arn": queues.dead_letter_arn},
    }
    events.put_targets(Rule=rule, EventBusName=bus, Targets=[target])


def schedule(environment: Environment, name: str, spec: Scheduled, function_arn: str, role_arn: str) -> None:
    """Create the schedule; an unchanged one is left alone, so that it keeps its next run."""
    scheduler, full_name = environment.client("scheduler"), environment.names.schedule(name)
    # The next collection covers a failed one; a late retry would only compete with it.
    environment.client("lambda").put_function_event_invoke_config(
        FunctionName=environment.names.function(name), MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
    )
    target: TargetTypeDef = {
        "Arn": function_arn,
        "RoleArn": role_arn,
        "RetryPolicy": {"MaximumRetryAttempts": 0},
    }
    window: FlexibleTimeWindowTypeDef = {"Mode": "OFF"}
    try:
        existing = scheduler.get_schedule(Name=full_name)
    except scheduler.exceptions.ResourceNotFoundException:
        scheduler.create_schedule(
            Name=full_name, ScheduleExpression=spec.schedule, FlexibleTimeWindow=window, Target=target
        )
        return
    if (existing["ScheduleExpression"], existing["State"]) != (spec.schedule, "ENABLED"):
        scheduler.update_schedule(
            Name=full_name,
            ScheduleExpression=spec.schedule,
            FlexibleTimeWindow=window,
            Target=target,
            State="ENABLED",
        )


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API."""

    id: str
    users: str
    """The id of the authorizer of users."""
    user_pool_id: str


def make_api(environment: Environment, users: UserPool, web_origins: Sequence[str]) -> Api:
    """Create or update the HTTP API."""
    gateway, name = environment.client("apigatewayv2"), environment.names.api
    pages = gateway.get_paginator("get_apis").paginate()
    existing = [api["ApiId"] for page in pages for api in page["Items"] if api["Name"] == name]
    # The emulator takes the API's id from this tag, so that its URL is the same on every start.
    api_id = (
        existing[0]
        if existing
        else gateway.create_api(Name=name, ProtocolType="HTTP", Tags={"ms-custom-id": name})["ApiId"]
    )
    if not gateway.get_stages(ApiId=api_id)["Items"]:
        gateway.create_stage(ApiId=api_id, StageName=_STAGE, AutoDeploy=True)
    # The gateway answers CORS preflight requests itself: they carry no token.
    gateway.update_api(
        ApiId=api_id,
        CorsConfiguration={
            "AllowOrigins": list(web_origins),
            "AllowMethods": list(environment.topology.cors_methods),
            "AllowHeaders": list(CORS_REQUEST_HEADERS),
            "ExposeHeaders": list(CORS_RESPONSE_HEADERS),
            "MaxAge": 3_600,
        },
    )
    return Api(api_id, _authorizer(environment, api_id, users), users.id)


def _authorizer(environment: Environment, api_id: str, users: UserPool) -> str:
    """Create or update the JWT authorizer of the user pool."""
    gateway = environment.client("apigatewayv2")
    jwt: JWTConfigurationTypeDef = {"Audience": list(users.client_ids), "Issuer": users.issuer}
    existing = {it["Name"]: it["AuthorizerId"] for it in gateway.get_authorizers(ApiId=api_id)["Items"]}
    if _USERS in existing:
        gateway.update_authorizer(ApiId=api_id, AuthorizerId=existing[_USERS], JwtConfiguration=jwt)
        return existing[_USERS]
    return gateway.create_authorizer(
        ApiId=api_id,
        Name=_USERS,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration=jwt,
    )["AuthorizerId"]


def route(environment: Environment, api: Api, spec: Endpoint, function_arn: str) -> None:
    """Route the function's paths to it, and none that it no longer has."""
    gateway, api_id = environment.client("apigatewayv2"), api.id
    authorization: _Authorization = (
        {"AuthorizationType": "JWT", "AuthorizerId": api.users}
        if spec.callers == "users"
        else {"AuthorizationType": "NONE"}
    )
    integrations = {
        it.get("IntegrationUri"): it["IntegrationId"]
        for it in gateway.get_integrations(ApiId=api_id)["Items"]
    }
    integration = (
        integrations.get(function_arn)
        or (
            gateway.create_integration(
                ApiId=api_id,
                IntegrationType="AWS_PROXY",
                IntegrationUri=function_arn,
                PayloadFormatVersion="2.0",
            )["IntegrationId"]
        )
    )
    target = f"integrations/{integration}"
    existing = {it["RouteKey"]: it for it in gateway.get_routes(ApiId=api_id)["Items"]}
    for key in spec.routes:
        if key not in existing:
            gateway.create_route(ApiId=api_id, RouteKey=key, Target=target, **authorization)
        elif any(
            existing[key].get(name) != value for name, value in {"Target": target, **authorization}.items()
        ):
            gateway.update_route(
                ApiId=api_id, RouteId=existing[key]["RouteId"], Target=target, **authorization
            )
    for key, former in existing.items():
        if former.get("Target") == target and key not in spec.routes:
            gateway.delete_route(ApiId=api_id, RouteId=former["RouteId"])


def route_url(endpoint: str, api: str, path: str) -> str:
    """Return the URL of a path of an API on the emulator."""
    return f"{endpoint}/_aws/execute-api/{api}/{_STAGE}{path}"
