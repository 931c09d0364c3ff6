"""Conventions for sources and applied resources: descriptions, types, comments on wildcards, protection."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.environment.lambda_env import LOCAL_ACCOUNT
from tests.terraform.conftest import Applied
from tests.terraform.conventions import RULES, Rule
from tests.terraform.sources import INFRA, Sources

MODULES = sorted(it.parent for it in INFRA.glob("modules/*/versions.tf"))

WITHOUT_RESOURCES = {
    "cloudwatch:GetMetricData",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions without resource-level permissions in IAM."""


def statements(applied: Applied) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the policy statements of each role that Terraform created."""
    for policy in applied.resources("aws_iam_role_policy"):
        for statement in json.loads(policy["policy"])["Statement"]:
            yield policy["role"], statement


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources.read()


@pytest.mark.parametrize("rule", RULES, ids=lambda it: it.__name__)
def test_the_sources_follow_every_rule(sources: Sources, rule: Rule) -> None:
    assert rule(sources) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda it: it.name)
def test_a_module_pins_versions_and_has_a_readme_and_tests(module: Path) -> None:
    versions = (module / "versions.tf").read_text(encoding="utf-8")

    assert 'required_version = ">= 1.11"' in versions
    assert 'version = "5.100.0"' in versions
    assert (module / "README.md").is_file()
    assert list(module.glob("tests/*.tftest.hcl"))


def test_people_sign_in_on_pages_whose_name_no_other_account_has(applied: Applied) -> None:
    (domain,) = applied.resources("aws_cognito_user_pool_domain")
    (pool,) = applied.resources("aws_cognito_user_pool")

    assert domain["user_pool_id"] == pool["id"]
    assert domain["domain"] == f"{pool['name']}-{pool['arn'].split(':')[4]}"


def test_role_policies_name_actions_and_resources(applied: Applied) -> None:
    for role, statement in statements(applied):
        assert not any("*" in action for action in statement["Action"]), (role, statement)
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= WITHOUT_RESOURCES, (role, statement)


def test_a_role_trusts_only_the_service_that_uses_it(applied: Applied) -> None:
    names, topology = applied.environment.names, applied.environment.topology
    services = {
        **{names.role(it): "lambda.amazonaws.com" for it in topology.functions},
        **{f"{names.schedule(it)}-schedule": "scheduler.amazonaws.com" for it in topology.scheduled},
    }

    trusted = {
        role["name"]: statement["Principal"]
        for role in applied.resources("aws_iam_role")
        for statement in json.loads(role["assume_role_policy"])["Statement"]
    }

    assert trusted == {role: {"Service": service} for role, service in services.items()}


def test_queues_are_encrypted_and_have_a_dlq_with_an_alarm(applied: Applied) -> None:
    queues = {it["name"]: it for it in applied.resources("aws_sqs_queue")}
    # By name, since the emulator does not return dimensions; the module's own tests check those.
    alarms = {it["alarm_name"] for it in applied.resources("aws_cloudwatch_metric_alarm")}

    for name, queue in queues.items():
        assert queue["sqs_managed_sse_enabled"], name
        if name.endswith("-dlq"):
            assert name in alarms
        else:
            target = json.loads(queue["redrive_policy"])["deadLetterTargetArn"]
            assert target == queues[f"{name}-dlq"]["arn"]


def test_a_queue_and_its_dlq_accept_messages_from_their_own_rule_or_bucket_only(applied: Applied) -> None:
    rules = {it["name"]: it["arn"] for it in applied.resources("aws_cloudwatch_event_rule")}
    names, topology = applied.environment.names, applied.environment.topology
    workers = {names.queue(it) for it in topology.workers}
    notified = {
        names.queue(it.notifies): applied.bucket(bucket)
        for bucket, it in topology.buckets.items()
        if it.notifies
    }

    for queue in applied.resources("aws_sqs_queue"):
        name = queue["name"].removesuffix("-dlq")
        statements = json.loads(queue["policy"])["Statement"] if queue["policy"] else []
        allowed = [it for it in statements if it["Effect"] == "Allow"]
        if queue["name"] in notified:
            (statement,) = allowed
            assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
            assert statement["Condition"] == {
                "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{notified[name]}"},
                "StringEquals": {"aws:SourceAccount": LOCAL_ACCOUNT},
            }
            assert statement["Resource"] == [queue["arn"]]
            continue
        if name in workers:
            assert allowed == []  # functions send there, by their roles
            continue
        (statement,) = allowed
        assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rules[name]}}
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert statement["Resource"] == [queue["arn"]]


def test_what_a_rule_cannot_deliver_goes_to_the_dlq_of_its_queue(applied: Applied) -> None:
    queues = {it["name"]: it["arn"] for it in applied.resources("aws_sqs_queue")}

    for target in applied.resources("aws_cloudwatch_event_target"):
        (dlq,) = target["dead_letter_config"]
        assert dlq["arn"] == queues[f"{target['rule']}-dlq"]
        (retries,) = target["retry_policy"]
        assert retries["maximum_event_age_in_seconds"] == 86_400


def test_the_gateway_and_the_user_pool_may_invoke_their_own_functions_only(applied: Applied) -> None:
    (api,) = applied.resources("aws_apigatewayv2_api")
    names, endpoints = applied.environment.names, applied.environment.topology.endpoints
    routes = {
        (names.function(name), f"{api['execution_arn']}/*/{route.replace(' ', '')}")
        for name, endpoint in endpoints.items()
        for route in endpoint.routes
    }

    (pool,) = applied.resources("aws_cognito_user_pool")
    triggers = {(names.function(name), pool["arn"]) for name in applied.environment.topology.pool_triggers}

    permissions: dict[str, set[tuple[str, str]]] = {}
    for it in applied.resources("aws_lambda_permission"):
        permissions.setdefault(it["principal"], set()).add((it["function_name"], it["source_arn"]))

    assert permissions == {"apigateway.amazonaws.com": routes, "cognito-idp.amazonaws.com": triggers}


def test_tables_are_encrypted_and_recoverable(applied: Applied) -> None:
    for table in applied.resources("aws_dynamodb_table"):
        assert table["server_side_encryption"][0]["enabled"], table["name"]
        assert table["point_in_time_recovery"][0]["enabled"], table["name"]


def test_log_groups_have_a_retention(applied: Applied) -> None:
    for group in applied.resources("aws_cloudwatch_log_group"):
        assert group["retention_in_days"] > 0, group["name"]


def test_a_consumer_may_use_its_own_queues_and_log_only(applied: Applied) -> None:
    queues = {it["name"]: it["arn"] for it in applied.resources("aws_sqs_queue")}
    permissions = {(role, it["Sid"]): it for role, it in statements(applied)}

    for name in map(applied.environment.names.function, applied.environment.topology.functions):
        log = permissions[name, "WriteLog"]
        assert log["Resource"][0].endswith(f":log-group:/aws/lambda/{name}:*")
        if name in queues:
            assert permissions[name, "ConsumeMessages"]["Resource"] == [queues[name]]
            assert permissions[name, "SendToDeadLetterQueue"]["Resource"] == [queues[f"{name}-dlq"]]
