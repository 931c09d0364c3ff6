"""What provisioning makes on the emulator is what infra/functions.yaml says."""

import json
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import ROLES, pool_id, token
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.triggers import local_concurrency
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def made(emulator: RunningEmulator) -> Environment:
    environment = Environment("made", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    return environment


def attributes(environment: Environment, url: str) -> dict[str, str]:
    answer = environment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return {str(name): value for name, value in answer["Attributes"].items()}


def test_a_queue_hides_delays_and_redrives_as_the_table_says(made: Environment) -> None:
    said = attributes(made, made.queue_url("expiry"))

    assert said["DelaySeconds"] == "900"
    assert said["VisibilityTimeout"] == str(6 * 30 + 5)
    assert said["MessageRetentionPeriod"] == str(14 * 86_400)
    assert json.loads(said["RedrivePolicy"])["maxReceiveCount"] == 5
    assert json.loads(said["RedrivePolicy"])["deadLetterTargetArn"].endswith(":made-pulsequeue-expiry-dlq")


def test_a_mapping_reports_partial_failures_in_batches_of_the_table(made: Environment) -> None:
    for name, spec in made.topology.consumers.items():
        answer = made.client("lambda").list_event_source_mappings(FunctionName=made.names.function(name))

        (mapping,) = answer["EventSourceMappings"]
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BatchSize"] == spec.batch_size
        assert mapping["MaximumBatchingWindowInSeconds"] == spec.batch_window_seconds
        assert mapping["ScalingConfig"]["MaximumConcurrency"] == local_concurrency(spec.maximum_concurrency)


def test_a_rule_puts_its_events_into_the_queue_of_its_function(made: Environment) -> None:
    events, bus = made.client("events"), made.names.bus
    for name, spec in made.topology.consumers.items():
        rule = events.describe_rule(Name=made.names.rule(name), EventBusName=bus)
        targets = events.list_targets_by_rule(Rule=made.names.rule(name), EventBusName=bus)["Targets"]

        assert json.loads(rule["EventPattern"]) == spec.rule_pattern
        assert [target["Arn"].rpartition(":")[2] for target in targets] == [made.names.queue(name)]


def test_the_bus_is_archived_for_as_long_as_the_table_says(made: Environment) -> None:
    archive = made.client("events").describe_archive(ArchiveName=made.names.archive)

    assert archive["RetentionDays"] == 90
    assert archive["EventSourceArn"].endswith(f"event-bus/{made.names.bus}")


def test_a_schedule_sets_its_function_off_once_a_minute_and_never_twice_at_once(made: Environment) -> None:
    function = made.names.function("collector")

    schedule = made.client("scheduler").get_schedule(Name=made.names.schedule("collector"))
    reserved = made.client("lambda").get_function_concurrency(FunctionName=function)

    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"].endswith(f":function:{function}")
    assert reserved["ReservedConcurrentExecutions"] == 1


def test_each_route_of_the_api_leads_to_its_function(made: Environment) -> None:
    gateway, api = made.client("apigatewayv2"), made.names.api

    routes = {it["RouteKey"]: it["Target"] for it in gateway.get_routes(ApiId=api)["Items"]}
    integrations = {it["IntegrationId"]: it for it in gateway.get_integrations(ApiId=api)["Items"]}

    assert len(integrations) == len(made.topology.endpoints)
    for name, spec in made.topology.endpoints.items():
        for route in spec.routes:
            integration = integrations[routes.pop(route).removeprefix("integrations/")]
            assert integration["IntegrationUri"].endswith(f":function:{made.names.function(name)}")
            assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == (
                "AWS_PROXY",
                "2.0",
            )
    assert routes == {}


def test_the_gateway_verifies_users_where_the_table_says_so_and_only_there(made: Environment) -> None:
    gateway, api = made.client("apigatewayv2"), made.names.api

    routes = {it["RouteKey"]: it for it in gateway.get_routes(ApiId=api)["Items"]}
    (authorizer,) = gateway.get_authorizers(ApiId=api)["Items"]

    assert {key: it["AuthorizationType"] for key, it in routes.items()} == {
        "GET /metrics": "NONE",
        "ANY /api/{proxy+}": "JWT",
    }
    assert routes["ANY /api/{proxy+}"]["AuthorizerId"] == authorizer["AuthorizerId"]
    assert authorizer["JwtConfiguration"]["Issuer"].endswith(f"/{pool_id(made)}")


def test_the_pool_has_a_group_and_a_user_for_each_role(made: Environment) -> None:
    cognito, pool = made.client("cognito-idp"), pool_id(made) or ""

    for role in ROLES:
        users = cognito.list_users_in_group(UserPoolId=pool, GroupName=role)["Users"]
        assert [user["Username"] for user in users] == [role]
        assert {"Name": "custom:tenant_id", "Value": "default"} in users[0]["Attributes"]


def test_users_cannot_give_themselves_another_tenant(made: Environment) -> None:
    cognito, pool = made.client("cognito-idp"), pool_id(made) or ""

    (client,) = cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=10)["UserPoolClients"]
    said = cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client["ClientId"])["UserPoolClient"]

    assert said["WriteAttributes"] == ["name"]


def test_nobody_gets_a_token_with_a_wrong_password(made: Environment) -> None:
    with pytest.raises(ToolError, match="does not let viewer in"):
        token(made, "viewer", "not it")


def test_a_function_is_as_large_and_as_patient_as_the_table_says(made: Environment) -> None:
    for name, spec in made.topology.functions.items():
        said = made.client("lambda").get_function_configuration(FunctionName=made.names.function(name))

        assert said["Handler"] == spec.handler
        assert (said["MemorySize"], said["Timeout"]) == (spec.memory_mb, spec.timeout_seconds)
        assert said["Environment"]["Variables"]["PULSEQUEUE_FUNCTION"] == name


def test_items_of_a_table_with_a_time_to_live_end_by_themselves(made: Environment) -> None:
    dynamodb = made.client("dynamodb")

    def told(table: str) -> tuple[str | None, str | None]:
        answer = dynamodb.describe_time_to_live(TableName=made.names.table(table))["TimeToLiveDescription"]
        return answer["TimeToLiveStatus"], answer.get("AttributeName")

    assert told("metrics") == ("ENABLED", "expiresAt")
    assert told("orders") == ("DISABLED", None)


def test_a_secret_is_made_up_once_and_kept_encrypted(made: Environment) -> None:
    ssm, name = made.client("ssm"), made.names.secret("metrics-token")
    before = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]

    provision(made, Overrides())

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
    assert len(gateway.get_routes(ApiId=api)["Items"]) == 2
    assert len(gateway.get_integrations(ApiId=api)["Items"]) == 2
    assert len(gateway.get_authorizers(ApiId=api)["Items"]) == 1


@pytest.mark.parametrize(
    "astray", [{"Target": "integrations/elsewhere"}, {"AuthorizationType": "NONE"}], ids=["target", "callers"]
)
def test_a_route_that_was_changed_is_set_right_again(
    emulator: RunningEmulator, astray: dict[str, Any]
) -> None:
    environment = Environment("astray", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    api, gateway = environment.names.api, environment.client("apigatewayv2")
    before = gateway.get_routes(ApiId=api)["Items"]
    for route in before:
        gateway.update_route(ApiId=api, RouteId=route["RouteId"], **astray)

    provision(environment, Overrides())

    assert gateway.get_routes(ApiId=api)["Items"] == before


def test_a_schedule_that_was_changed_is_set_right_again(emulator: RunningEmulator) -> None:
    environment = Environment("rhythm", Topology.load(), emulator.clients)
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
    environment = Environment("told", Topology.load(), emulator.clients)

    provision(environment, Overrides(secrets={"metrics-token": "known"}))

    name = environment.names.secret("metrics-token")
    assert environment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == (
        "known"
    )
