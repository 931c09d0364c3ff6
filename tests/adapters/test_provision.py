"""Provisioning creates on the emulator what infra/functions.yaml describes."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import ROLES, pool_id, token
from scripts.environment.environment import Environment
from scripts.environment.topology import Consumer, Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import local_concurrency
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator

PASSWORD = "Local-0nly-Passw0rd"


@pytest.fixture(scope="module")
def environment(emulator: RunningEmulator) -> Environment:
    environment = Environment("made", Topology.load(), emulator.clients)
    provision(environment, Overrides(users_password=PASSWORD))
    return environment


def attributes(environment: Environment, url: str) -> dict[str, str]:
    response = environment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {str(name): value for name, value in response["Attributes"].items()}


def test_a_queue_hides_delays_and_redrives_as_the_table_says(environment: Environment) -> None:
    queue = attributes(environment, environment.queue_url("expiry"))

    assert queue["DelaySeconds"] == "900"
    assert queue["VisibilityTimeout"] == str(6 * 30 + 5)
    assert queue["MessageRetentionPeriod"] == str(14 * 86_400)
    assert json.loads(queue["RedrivePolicy"])["maxReceiveCount"] == 5
    assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"].endswith(":made-pulsequeue-expiry-dlq")


def test_a_mapping_reports_partial_failures_in_batches_of_the_table(environment: Environment) -> None:
    for name, spec in environment.topology.consumers.items():
        response = environment.client("lambda").list_event_source_mappings(
            FunctionName=environment.names.function(name)
        )

        (mapping,) = response["EventSourceMappings"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BatchSize"] == spec.handed_over
        assert mapping["MaximumBatchingWindowInSeconds"] == spec.batch_window_seconds
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == local_concurrency(spec.maximum_concurrency)


def subscribers(environment: Environment) -> dict[str, Consumer]:
    """Return the consumers of events; functions fill the queues of the others."""
    return {name: it for name, it in environment.topology.consumers.items() if it.subscriptions}


def test_a_rule_puts_its_events_into_the_queue_of_its_function(environment: Environment) -> None:
    events, bus = environment.client("events"), environment.names.bus
    for name, spec in subscribers(environment).items():
        rule = events.describe_rule(Name=environment.names.rule(name), EventBusName=bus)
        targets = events.list_targets_by_rule(Rule=environment.names.rule(name), EventBusName=bus)["Targets"]

        assert json.loads(rule["EventPattern"]) == spec.rule_pattern
        assert [target["Arn"].rpartition(":")[2] for target in targets] == [environment.names.queue(name)]


def test_what_eventbridge_cannot_deliver_for_a_day_goes_to_the_dead_letter_queue(
    environment: Environment,
) -> None:
    events, names = environment.client("events"), environment.names
    for name in subscribers(environment):
        (target,) = events.list_targets_by_rule(Rule=names.rule(name), EventBusName=names.bus)["Targets"]

        assert target["DeadLetterConfig"]["Arn"].rpartition(":")[2] == names.dead_letter_queue(name)
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


def test_the_bus_is_archived_for_as_long_as_the_table_says(environment: Environment) -> None:
    archive = environment.client("events").describe_archive(ArchiveName=environment.names.archive)

    assert archive["RetentionDays"] == 90
    assert archive["EventSourceArn"].endswith(f"event-bus/{environment.names.bus}")


def test_a_schedule_sets_its_function_off_once_a_minute_and_never_twice_at_once(
    environment: Environment,
) -> None:
    function = environment.names.function("collector")

    schedule = environment.client("scheduler").get_schedule(Name=environment.names.schedule("collector"))
    reserved = environment.client("lambda").get_function_concurrency(FunctionName=function)

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"].endswith(f":function:{function}")
    assert reserved["ReservedConcurrentExecutions"] == 1


def test_each_route_of_the_api_leads_to_its_function(environment: Environment) -> None:
    gateway, api = environment.client("apigatewayv2"), environment.names.api

    routes = {it["RouteKey"]: it["Target"] for it in gateway.get_routes(ApiId=api)["Items"]}
    integrations = {it["IntegrationId"]: it for it in gateway.get_integrations(ApiId=api)["Items"]}

    assert len(integrations) == len(environment.topology.endpoints)
    for name, spec in environment.topology.endpoints.items():
        for route in spec.routes:
            integration = integrations[routes.pop(route).removeprefix("integrations/")]
            assert integration["IntegrationUri"].endswith(f":function:{environment.names.function(name)}")
            assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == (
                "AWS_PROXY",
                "2.0",
            )
    assert routes == {}


def test_the_gateway_verifies_users_where_the_table_says_so_and_only_there(environment: Environment) -> None:
    gateway, api = environment.client("apigatewayv2"), environment.names.api

    routes = {it["RouteKey"]: it for it in gateway.get_routes(ApiId=api)["Items"]}
    (authorizer,) = gateway.get_authorizers(ApiId=api)["Items"]

    assert {key: it["AuthorizationType"] for key, it in routes.items()} == {
        route: "JWT" if spec.callers == "users" else "NONE"
        for spec in environment.topology.endpoints.values()
        for route in spec.routes
    }
    assert routes["GET /metrics"]["AuthorizationType"] == "NONE"
    assert routes["GET /api/orders"]["AuthorizationType"] == "JWT"
    assert routes["GET /api/orders"]["AuthorizerId"] == authorizer["AuthorizerId"]
    assert authorizer["JwtConfiguration"]["Issuer"].endswith(f"/{pool_id(environment)}")


def _claims(environment: Environment, user: str) -> dict[str, Any]:
    payload = token(environment, user, PASSWORD).split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@pytest.mark.parametrize("role", ROLES)
def test_a_token_has_the_tenant_and_the_role_of_its_user_for_five_minutes(
    environment: Environment, role: str
) -> None:
    claims = _claims(environment, role)

    assert (claims["custom:tenant_id"], claims["custom:role"]) == ("default", role)
    assert "custom:scopes" not in claims
    assert claims["exp"] - claims["iat"] == 300


def test_a_user_who_is_no_member_gets_a_token_without_tenant(environment: Environment) -> None:
    cognito, pool = environment.client("cognito-idp"), pool_id(environment) or ""
    cognito.admin_create_user(UserPoolId=pool, Username="nobody", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="nobody", Password=PASSWORD, Permanent=True)

    claims = _claims(environment, "nobody")

    assert not [name for name in claims if name.startswith("custom:")]


def test_the_console_s_table_has_a_sort_key_and_a_stream(environment: Environment) -> None:
    name = environment.names.table("console")

    table = environment.client("dynamodb").describe_table(TableName=name)["Table"]

    assert [it["AttributeName"] for it in table["KeySchema"]] == ["pk", "sk"]
    assert table["StreamSpecification"] == {
        "StreamEnabled": True,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }


def test_users_cannot_give_themselves_another_tenant(environment: Environment) -> None:
    cognito, pool = environment.client("cognito-idp"), pool_id(environment) or ""

    listed = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
    writable = {
        it["ClientName"]: cognito.describe_user_pool_client(UserPoolId=pool, ClientId=it["ClientId"])[
            "UserPoolClient"
        ]["WriteAttributes"]
        for it in listed
    }

    # Identity providers fill in the address by the session's client, whose access tokens nobody gets.
    assert writable == {"command-line": ["name"], "session": ["email", "name"]}


def test_nobody_gets_a_token_with_a_wrong_password(environment: Environment) -> None:
    with pytest.raises(ToolError, match="sign-in of viewer failed"):
        token(environment, "viewer", "not it")


def test_a_function_is_as_large_and_as_patient_as_the_table_says(environment: Environment) -> None:
    for name, spec in environment.topology.functions.items():
        configuration = environment.client("lambda").get_function_configuration(
            FunctionName=environment.names.function(name)
        )

        assert configuration["Handler"] == spec.handler
        assert (configuration["MemorySize"], configuration["Timeout"]) == (
            spec.memory_mb,
            spec.timeout_seconds,
        )
        assert configuration["Environment"]["Variables"]["PULSEQUEUE_FUNCTION"] == name


def test_items_of_a_table_with_a_time_to_live_end_by_themselves(environment: Environment) -> None:
    dynamodb = environment.client("dynamodb")

    def time_to_live(table: str) -> tuple[str | None, str | None]:
        response = dynamodb.describe_time_to_live(TableName=environment.names.table(table))[
            "TimeToLiveDescription"
        ]
        return response["TimeToLiveStatus"], response.get("AttributeName")

    assert time_to_live("metrics") == ("ENABLED", "expiresAt")
    assert time_to_live("orders") == ("DISABLED", None)


def test_a_secret_is_made_up_once_and_kept_encrypted(environment: Environment) -> None:
    ssm, name = environment.client("ssm"), environment.names.secret("metrics-token")
    before = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]

    provision(environment, Overrides())

    assert before["Type"] == "SecureString"
    assert len(before["Value"]) >= 32
    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == before["Value"]


def test_provisioning_again_changes_what_changed_and_doubles_nothing(emulator: RunningEmulator) -> None:
    environment = Environment("again", Topology.load(), emulator.clients)
    provision(environment, Overrides())

    provision(
        environment, Overrides(hold_seconds=7, retry_seconds=3, variables={"GATEWAY_FAILURE_RATE": "0.5"})
    )

    expiry = environment.names.function("expiry")
    functions = environment.client("lambda")
    variables = functions.get_function_configuration(FunctionName=expiry)["Environment"]["Variables"]
    assert variables["HOLD_SECONDS"] == "7"
    assert variables["GATEWAY_FAILURE_RATE"] == "0.5"
    assert attributes(environment, environment.queue_url("expiry"))["DelaySeconds"] == "7"
    assert attributes(environment, environment.queue_url("expiry"))["VisibilityTimeout"] == "3"
    assert len(functions.list_event_source_mappings(FunctionName=expiry)["EventSourceMappings"]) == 1
    api, gateway = environment.names.api, environment.client("apigatewayv2")
    assert [it["ApiId"] for it in gateway.get_apis()["Items"] if it["Name"] == api] == [api]
    routes = [route for it in environment.topology.endpoints.values() for route in it.routes]
    assert sorted(it["RouteKey"] for it in gateway.get_routes(ApiId=api)["Items"]) == sorted(routes)
    assert len(gateway.get_integrations(ApiId=api)["Items"]) == len(environment.topology.endpoints)
    assert len(gateway.get_authorizers(ApiId=api)["Items"]) == 1


@pytest.mark.parametrize(
    "drift", [{"Target": "integrations/elsewhere"}, {"AuthorizationType": "NONE"}], ids=["target", "callers"]
)
def test_a_route_that_was_changed_is_set_right_again(
    emulator: RunningEmulator, drift: dict[str, Any]
) -> None:
    environment = Environment("drift", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    api, gateway = environment.names.api, environment.client("apigatewayv2")
    before = gateway.get_routes(ApiId=api)["Items"]
    for route in before:
        gateway.update_route(ApiId=api, RouteId=route["RouteId"], **drift)

    provision(environment, Overrides())

    assert gateway.get_routes(ApiId=api)["Items"] == before


def test_a_route_that_left_the_table_is_removed(emulator: RunningEmulator) -> None:
    environment = Environment("former", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    api, gateway = environment.names.api, environment.client("apigatewayv2")
    before = gateway.get_routes(ApiId=api)["Items"]
    (orders,) = [it for it in before if it["RouteKey"] == "GET /api/orders"]
    gateway.create_route(ApiId=api, RouteKey="ANY /api/{proxy+}", Target=orders["Target"])

    provision(environment, Overrides())

    assert gateway.get_routes(ApiId=api)["Items"] == before


def test_a_schedule_that_was_changed_is_set_right_again(emulator: RunningEmulator) -> None:
    environment = Environment("schedule", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    scheduler, name = environment.client("scheduler"), environment.names.schedule("collector")
    before = scheduler.get_schedule(Name=name)
    scheduler.update_schedule(
        Name=name,
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=before["Target"],
        State="DISABLED",
    )

    provision(environment, Overrides())

    after = scheduler.get_schedule(Name=name)
    assert (after["ScheduleExpression"], after["State"]) == ("rate(1 minute)", "ENABLED")
    assert after["Target"] == before["Target"]


def test_a_secret_that_is_given_is_kept_as_it_is(emulator: RunningEmulator) -> None:
    environment = Environment("given", Topology.load(), emulator.clients)

    provision(environment, Overrides(secrets={"metrics-token": "known"}))

    name = environment.names.secret("metrics-token")
    assert environment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == (
        "known"
    )
