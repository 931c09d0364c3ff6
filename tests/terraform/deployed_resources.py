"""The deployed resources of an environment, read from AWS APIs, to compare two provisioners."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from scripts.environment.cognito import pool_id
from scripts.environment.environment import Environment

Resources = Mapping[str, Any]


def functions(environment: Environment) -> Resources:
    client, found = environment.client("lambda"), {}
    for it in client.get_paginator("list_functions").paginate().build_full_result()["Functions"]:
        name = it["FunctionName"]
        reserved = client.get_function_concurrency(FunctionName=name)
        found[name] = {
            **{kind: it[kind] for kind in ("Description", "Handler", "Runtime", "MemorySize", "Timeout")},
            "role": last(it["Role"], "/"),
            "variables": variables(it["Environment"]["Variables"]),
            "reserved": reserved.get("ReservedConcurrentExecutions"),
        }
    return found


def variables(env_vars: Mapping[str, str]) -> Resources:
    """Normalize variables for comparison: JSON lists sorted, a queue URL reduced to its name."""
    normalizers: dict[str, Callable[[str], Any]] = {
        "TOPOLOGY": lambda value: {**json.loads(value), "tables": sorted(json.loads(value)["tables"])},
        "QUEUE_URL": lambda value: last(value, "/"),
        "USER_POOL_ID": lambda _: "the pool",
        "ISSUER": lambda value: value.rpartition("/")[0],
        "KEYS_URL": lambda value: value.rpartition("/.well-known/")[2],
        "OAUTH_CLIENT_ID": lambda _: "the client",
        "CONSOLE_URL": lambda _: "the console",
        "SIGN_IN_URL": lambda value: value.rpartition(":")[0],
        "DEAD_LETTER_QUEUE_URL": lambda value: last(value, "/"),
    }
    return {name: normalizers.get(name, str)(value) for name, value in env_vars.items()}


def queues(environment: Environment) -> Resources:
    client, found = environment.client("sqs"), {}
    for url in client.list_queues()["QueueUrls"]:
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
        found[last(url, "/")] = {
            **{
                kind: attributes[kind]
                for kind in ("DelaySeconds", "MessageRetentionPeriod", "VisibilityTimeout")
            },
            "dlq": last(redrive.get("deadLetterTargetArn", "")),
            "receives": redrive.get("maxReceiveCount"),
        }
    return found


def mappings(environment: Environment) -> Resources:
    response = environment.client("lambda").list_event_source_mappings()
    return {
        function_name(it["FunctionArn"]): {
            **{kind: it[kind] for kind in ("BatchSize", "MaximumBatchingWindowInSeconds")},
            "queue": last(it["EventSourceArn"]),
            "reports": it["FunctionResponseTypes"],
            "concurrency": it["ScalingConfig"]["MaximumConcurrency"],
            "state": it["State"],
        }
        for it in response["EventSourceMappings"]
    }


def rules(environment: Environment) -> Resources:
    client, bus, found = environment.client("events"), environment.names.bus, {}
    for it in client.list_rules(EventBusName=bus)["Rules"]:
        targets = client.list_targets_by_rule(Rule=it["Name"], EventBusName=bus)["Targets"]
        found[it["Name"]] = {
            "pattern": json.loads(it["EventPattern"]),
            "description": it["Description"],
            "state": it["State"],
            "targets": [
                (
                    target["Id"],
                    last(target["Arn"]),
                    last(target["DeadLetterConfig"]["Arn"]),
                    target["RetryPolicy"],
                )
                for target in targets
            ],
        }
    return found


def archives(environment: Environment) -> Resources:
    return {
        it["ArchiveName"]: (last(it["EventSourceArn"], "/"), it["RetentionDays"])
        for it in environment.client("events").list_archives()["Archives"]
    }


def tables(environment: Environment) -> Resources:
    client, found = environment.client("dynamodb"), {}
    for name in client.list_tables()["TableNames"]:
        attributes = client.describe_table(TableName=name)["Table"]
        lifetime = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        found[name] = {
            "keys": attributes["KeySchema"],
            "attributes": sorted(attributes["AttributeDefinitions"], key=lambda it: it["AttributeName"]),
            "billing": attributes["BillingModeSummary"]["BillingMode"],
            "ttl": lifetime.get("AttributeName"),
            "stream": attributes.get("StreamSpecification", {}).get("StreamViewType"),
        }
    return found


def schedules(environment: Environment) -> Resources:
    client, functions, found = environment.client("scheduler"), environment.client("lambda"), {}
    for it in client.list_schedules()["Schedules"]:
        attributes = client.get_schedule(Name=it["Name"])
        repeated = functions.get_function_event_invoke_config(FunctionName=attributes["Target"]["Arn"])
        found[it["Name"]] = {
            "rate": attributes["ScheduleExpression"],
            "state": attributes["State"],
            "function": function_name(attributes["Target"]["Arn"]),
            "attempts": attributes["Target"]["RetryPolicy"]["MaximumRetryAttempts"],
            "repeated": (repeated["MaximumRetryAttempts"], repeated["MaximumEventAgeInSeconds"]),
        }
    return found


def routes(environment: Environment) -> Resources:
    client, name = environment.client("apigatewayv2"), environment.names.api
    (api,) = [it for it in client.get_apis()["Items"] if it["Name"] == name]
    integrations = {it["IntegrationId"]: it for it in client.get_integrations(ApiId=api["ApiId"])["Items"]}

    def integration_of(target: str) -> tuple[str, str, str]:
        it = integrations[target.removeprefix("integrations/")]
        return function_name(it["IntegrationUri"]), it["IntegrationType"], it["PayloadFormatVersion"]

    return {
        it["RouteKey"]: (it["AuthorizationType"], *integration_of(it["Target"]))
        for it in client.get_routes(ApiId=api["ApiId"])["Items"]
    }


def cors(environment: Environment) -> Resources:
    (api,) = environment.client("apigatewayv2").get_apis()["Items"]
    attributes: Any = api["CorsConfiguration"]
    return {
        kind: sorted(value) if isinstance(value, list) else value
        for kind, value in attributes.items()
        if value
    }


def secrets(environment: Environment) -> Resources:
    attributes = environment.client("ssm").describe_parameters()["Parameters"]
    return {it["Name"]: it["Type"] for it in attributes}


def users(environment: Environment) -> Resources:
    client, pool = environment.client("cognito-idp"), pool_id(environment) or ""
    triggers: Any = client.describe_user_pool(UserPoolId=pool)["UserPool"].get("LambdaConfig", {})
    found: dict[str, Any] = {"claims": function_name(triggers["PreTokenGenerationConfig"]["LambdaArn"])}
    for listed in client.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]:
        attributes = client.describe_user_pool_client(UserPoolId=pool, ClientId=listed["ClientId"])[
            "UserPoolClient"
        ]
        found[attributes["ClientName"]] = {
            "confidential": "ClientSecret" in attributes,
            "auth flows": sorted(attributes["ExplicitAuthFlows"]),
            "OAuth flows": sorted(attributes.get("AllowedOAuthFlows", [])),
            "scopes": sorted(attributes.get("AllowedOAuthScopes", [])),
            "comes back to": [urlsplit(it).path for it in attributes.get("CallbackURLs", [])],
            "reads": sorted(attributes["ReadAttributes"]),
            "writes": sorted(attributes["WriteAttributes"]),
            "tokens": (attributes["IdTokenValidity"], attributes["AccessTokenValidity"]),
        }
    return found


def site(environment: Environment) -> Resources:
    cloudfront, name = environment.client("cloudfront"), environment.names.site
    listed = cloudfront.list_distributions()["DistributionList"].get("Items", ())
    policies: Any = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    configs = {
        it["ResponseHeadersPolicy"]["Id"]: it["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
        for it in policies.get("Items", ())
    }
    # The policy names the bucket of uploads by its address, and each emulator has a port of its own.
    headers = json.loads(json.dumps(configs).replace(str(cloudfront.meta.endpoint_url), "http://emulator"))
    found: dict[str, Any] = {}
    for listing in (it for it in listed if it["Comment"] == name):
        config: Any = cloudfront.get_distribution_config(Id=listing["Id"])["DistributionConfig"]
        default = {"PathPattern": "*", **config["DefaultCacheBehavior"]}
        found = {
            "root": config["DefaultRootObject"],
            "errors": config.get("CustomErrorResponses", {}).get("Quantity", 0),
            "behaviors": [
                _behavior(it, headers) for it in (*config["CacheBehaviors"].get("Items", ()), default)
            ],
            "origins": sorted(
                (it["Id"], bool(it.get("OriginAccessControlId"))) for it in config["Origins"]["Items"]
            ),
        }
    return found


def _behavior(it: Any, headers: Mapping[str, Any]) -> Resources:  # noqa: ANN401 - of a distribution
    policy = headers[it["ResponseHeadersPolicyId"]]
    functions = it.get("FunctionAssociations", {}).get("Items", ())
    return {
        "path": it["PathPattern"],
        "origin": it["TargetOriginId"],
        "methods": sorted(it["AllowedMethods"]["Items"]),
        "viewers": it["ViewerProtocolPolicy"],
        "compressed": it["Compress"],
        "cache": it["CachePolicyId"],
        "forwarded": it.get("OriginRequestPolicyId") or None,
        "functions": sorted((f["EventType"], last(f["FunctionARN"], "/")) for f in functions),
        # What is false may be left out.
        "security": {
            name: {key: value for key, value in header.items() if value}
            for name, header in policy["SecurityHeadersConfig"].items()
        },
        "headers": policy["CustomHeadersConfig"]["Items"],
    }


def logs(environment: Environment) -> Resources:
    attributes = environment.client("logs").describe_log_groups()["logGroups"]
    return {it["logGroupName"]: it["retentionInDays"] for it in attributes}


INSPECTORS: Mapping[str, Callable[[Environment], Resources]] = {
    inspect.__name__: inspect
    for inspect in (
        *(functions, queues, mappings, rules, archives, tables),
        *(schedules, routes, cors, secrets, users, site, logs),
    )
}


def function_name(arn: str) -> str:
    """Return the function name in the ARN of a function or alias."""
    return arn.split(":")[6]


def last(arn: str, separator: str = ":") -> str:
    return arn.rpartition(separator)[2]
