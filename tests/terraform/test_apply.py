"""What Terraform makes works with the rights it gives and no others, stays as it is, and goes away whole."""

import json
import re
from typing import Any

import pytest

from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until
from tests.terraform import deployed_resources
from tests.terraform.conftest import Applied

FORGOTTEN = (
    # Says of every JWT authorizer that its payload has version 2.0, which only Lambda authorizers have.
    r"module\.api\.aws_apigatewayv2_authorizer\.users$",
    # DescribeAlarms leaves out dimensions, statistic and description.
    r"\.aws_cloudwatch_metric_alarm\.",
)
"""What the emulator tells otherwise than it was told."""


def test_a_second_plan_finds_nothing_to_do(applied: Applied) -> None:
    changes = applied.terraform.changes(applied.folder)

    assert [it for it in changes if not any(re.search(known, it) for known in FORGOTTEN)] == []
    assert [it for it in FORGOTTEN if not any(re.search(it, change) for change in changes)] == []


def test_an_order_is_confirmed_by_functions_that_may_do_what_their_roles_say_alone(applied: Applied) -> None:
    pipeline = PipelineClient(applied.environment)
    sku = pipeline.create_sku(10)

    pipeline.place(pipeline.order("lone", sku, 3))

    pipeline.wait_for_status("lone", "CONFIRMED")
    assert pipeline.levels(sku) == (7, 0, 7)


def test_an_order_is_told_to_users_of_its_tenant_and_to_nobody_without_a_token(applied: Applied) -> None:
    pipeline, signed = PipelineClient(applied.environment), applied.token("viewer")

    pipeline.place(pipeline.order("told", pipeline.create_sku(10)))

    path = f"/api/orders/{pipeline.order_id('told')}"
    wait_until(lambda: (applied.ask(path, signed) or {}).get("status") == "CONFIRMED", "the order is told")
    assert applied.ask(path, "") is None


def test_whatever_calls_a_function_calls_its_live_version(applied: Applied) -> None:
    called = [
        *(it["function_name"] for it in applied.resources("aws_lambda_event_source_mapping")),
        *(it["integration_uri"] for it in applied.resources("aws_apigatewayv2_integration")),
        *(it["target"][0]["arn"] for it in applied.resources("aws_scheduler_schedule")),
    ]
    published = {it["function_name"]: it["function_version"] for it in applied.resources("aws_lambda_alias")}

    assert len(called) == len(applied.environment.topology.functions) - 1
    assert {arn.split(":")[7] for arn in called} == {"live"}
    assert published == {
        it["function_name"]: it["version"] for it in applied.resources("aws_lambda_function")
    }
    assert "$LATEST" not in published.values()


def test_no_secret_stands_in_the_state(applied: Applied) -> None:
    state = (applied.folder / "terraform.tfstate").read_text(encoding="utf-8")
    ssm, names = applied.environment.client("ssm"), applied.environment.names

    for secret in ("metrics-token", "cursor-key"):
        parameter = ssm.get_parameter(Name=names.secret(secret), WithDecryption=True)["Parameter"]
        assert parameter["Type"] == "SecureString"
        assert len(parameter["Value"]) >= 32
        assert parameter["Value"] not in state


@pytest.fixture(scope="session")
def left_over(applied: Applied) -> dict[str, Any]:
    """Destroy everything and look around."""
    applied.terraform.run(applied.folder, "destroy", "-auto-approve")
    environment = applied.environment
    looks = {
        name: look
        for name, look in deployed_resources.EVERYTHING.items()
        if name not in ("rules", "routes", "preflight", "users")
    }
    return {name: found for name, look in looks.items() if (found := look(environment))}


def test_destroying_leaves_nothing(left_over: dict[str, Any], applied: Applied) -> None:
    roles = applied.environment.client("iam").list_roles()["Roles"]

    assert left_over == {}
    assert [
        it["RoleName"] for it in roles if it["RoleName"].startswith(applied.environment.names.prefix)
    ] == []
    assert json.loads(applied.terraform.run(applied.folder, "show", "-json")).get("values") is None
