"""What there is of an environment, as AWS tells it: for comparing what two provisioners have made."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from scripts.environment.cognito import pool_id
from scripts.environment.environment import Environment

Seen = Mapping[str, Any]


def functions(environment: Environment) -> Seen:
    client, seen = environment.client("lambda"), {}
    for it in client.get_paginator("list_functions").paginate().build_full_result()["Functions"]:
        name = it["FunctionName"]
        reserved = client.get_function_concurrency(FunctionName=name)
        seen[name] = {
            **{kind: it[kind] for kind in ("Description", "Handler", "Runtime", "MemorySize", "Timeout")},
            "role": last(it["Role"], "/"),
            "variables": variables(it["Environment"]["Variables"]),
            "reserved": reserved.get("ReservedConcurrentExecutions"),
        }
    return seen


def variables(told: Mapping[str, str]) -> Seen:
    """Spell variables so that the same means the same: JSON without its order, a queue by its name."""
    spelled: dict[str, Callable[[str], Any]] = {
        "TOPOLOGY": lambda value: {**json.loads(value), "tables": sorted(json.loads(value)["tables"])},
        "DEAD_LETTER_QUEUE_URL": lambda value: last(value, "/"),
    }
    return {name: spelled.get(name, str)(value) for name, value in told.items()}


def queues(environment: Environment) -> Seen:
    client, seen = environment.client("sqs"), {}
    for url in client.list_queues()["QueueUrls"]:
        said = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(said.get("RedrivePolicy", "{}"))
        seen[last(url, "/")] = {
            **{kind: said[kind] for kind in ("DelaySeconds", "MessageRetentionPeriod", "VisibilityTimeout")},
            "dead letters": last(redrive.get("deadLetterTargetArn", "")),
            "receives": redrive.get("maxReceiveCount"),
        }
    return seen


def mappings(environment: Environment) -> Seen:
    answer = environment.client("lambda").list_event_source_mappings()
    return {
        function_of(it["FunctionArn"]): {
            **{kind: it[kind] for kind in ("BatchSize", "MaximumBatchingWindowInSeconds")},
            "queue": last(it["EventSourceArn"]),
            "reports": it["FunctionResponseTypes"],
            "at once": it["ScalingConfig"]["MaximumConcurrency"],
            "on": it["State"],
        }
        for it in answer["EventSourceMappings"]
    }


def rules(environment: Environment) -> Seen:
    client, bus, seen = environment.client("events"), environment.names.bus, {}
    for it in client.list_rules(EventBusName=bus)["Rules"]:
        targets = client.list_targets_by_rule(Rule=it["Name"], EventBusName=bus)["Targets"]
        seen[it["Name"]] = {
            "pattern": json.loads(it["EventPattern"]),
            "description": it["Description"],
            "state": it["State"],
            "targets": [(target["Id"], last(target["Arn"])) for target in targets],
        }
    return seen


def archives(environment: Environment) -> Seen:
    return {
        it["ArchiveName"]: (last(it["EventSourceArn"], "/"), it["RetentionDays"])
        for it in environment.client("events").list_archives()["Archives"]
    }


def tables(environment: Environment) -> Seen:
    client, seen = environment.client("dynamodb"), {}
    for name in client.list_tables()["TableNames"]:
        said = client.describe_table(TableName=name)["Table"]
        lifetime = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        seen[name] = {
            "keys": said["KeySchema"],
            "attributes": said["AttributeDefinitions"],
            "billing": said["BillingModeSummary"]["BillingMode"],
            "ttl": lifetime.get("AttributeName"),
        }
    return seen


def schedules(environment: Environment) -> Seen:
    client, functions, seen = environment.client("scheduler"), environment.client("lambda"), {}
    for it in client.list_schedules()["Schedules"]:
        said = client.get_schedule(Name=it["Name"])
        repeated = functions.get_function_event_invoke_config(FunctionName=said["Target"]["Arn"])
        seen[it["Name"]] = {
            "rate": said["ScheduleExpression"],
            "state": said["State"],
            "function": function_of(said["Target"]["Arn"]),
            "attempts": said["Target"]["RetryPolicy"]["MaximumRetryAttempts"],
            "repeated": (repeated["MaximumRetryAttempts"], repeated["MaximumEventAgeInSeconds"]),
        }
    return seen


def routes(environment: Environment) -> Seen:
    client, name = environment.client("apigatewayv2"), environment.names.api
    (api,) = [it for it in client.get_apis()["Items"] if it["Name"] == name]
    integrations = {it["IntegrationId"]: it for it in client.get_integrations(ApiId=api["ApiId"])["Items"]}

    def led_to(target: str) -> tuple[str, str, str]:
        it = integrations[target.removeprefix("integrations/")]
        return function_of(it["IntegrationUri"]), it["IntegrationType"], it["PayloadFormatVersion"]

    return {
        it["RouteKey"]: (it["AuthorizationType"], *led_to(it["Target"]))
        for it in client.get_routes(ApiId=api["ApiId"])["Items"]
    }


def preflight(environment: Environment) -> Seen:
    (api,) = environment.client("apigatewayv2").get_apis()["Items"]
    said: Any = api["CorsConfiguration"]
    return {
        kind: sorted(value) if isinstance(value, list) else value for kind, value in said.items() if value
    }


def secrets(environment: Environment) -> Seen:
    said = environment.client("ssm").describe_parameters()["Parameters"]
    return {it["Name"]: it["Type"] for it in said}


def users(environment: Environment) -> Seen:
    client, pool = environment.client("cognito-idp"), pool_id(environment) or ""
    groups = client.list_groups(UserPoolId=pool)["Groups"]
    (listed,) = client.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
    said = client.describe_user_pool_client(UserPoolId=pool, ClientId=listed["ClientId"])["UserPoolClient"]
    return {
        "groups": sorted(it["GroupName"] for it in groups),
        "client": said["ClientName"],
        "ways in": sorted(said["ExplicitAuthFlows"]),
        "reads": sorted(said["ReadAttributes"]),
        "writes": sorted(said["WriteAttributes"]),
        "tokens": (said["IdTokenValidity"], said["AccessTokenValidity"]),
    }


def logs(environment: Environment) -> Seen:
    said = environment.client("logs").describe_log_groups()["logGroups"]
    return {it["logGroupName"]: it["retentionInDays"] for it in said}


EVERYTHING: Mapping[str, Callable[[Environment], Seen]] = {
    look.__name__: look
    for look in (
        *(functions, queues, mappings, rules, archives, tables),
        *(schedules, routes, preflight, secrets, users, logs),
    )
}


def function_of(arn: str) -> str:
    """Name the function that an ARN leads to, be it to an alias of it."""
    return arn.split(":")[6]


def last(arn: str, separator: str = ":") -> str:
    return arn.rpartition(separator)[2]
