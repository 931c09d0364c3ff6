"""The applied environment works with its own permissions, shows no drift, and is destroyed completely."""

import json
import re
from typing import Any

import pytest

from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until
from tests.support.site_client import request
from tests.terraform import deployed_resources
from tests.terraform.conftest import Applied

EMULATOR_DIFFERENCES = (
    # Returns payload version 2.0 for JWT authorizers, which only Lambda authorizers have.
    r"module\.api\.aws_apigatewayv2_authorizer\.users$",
    # Returns the policy's attributes in another shape.
    r"\.site\.aws_cloudfront_response_headers_policy\.this$",
    # DescribeAlarms omits dimensions, metric queries, description and the setting for few samples, and
    # returns a statistic beside a percentile.
    r"\.aws_cloudwatch_metric_alarm\.",
)
"""Resources that the emulator returns differently from what was applied."""


def test_a_second_plan_shows_no_changes(applied: Applied) -> None:
    changes = applied.terraform.changes(applied.folder)

    assert [it for it in changes if not any(re.search(pattern, it) for pattern in EMULATOR_DIFFERENCES)] == []
    assert [it for it in EMULATOR_DIFFERENCES if not any(re.search(it, change) for change in changes)] == []


def test_a_rotated_secret_is_not_changed_back(applied: Applied) -> None:
    ssm, name = applied.environment.client("ssm"), applied.environment.names.oauth_client_secret
    first = applied.secret("oauth-client-secret")
    ssm.put_parameter(Name=name, Value="rotated", Type="SecureString", Overwrite=True)
    try:
        changes = applied.terraform.changes(applied.folder)
    finally:
        ssm.put_parameter(Name=name, Value=first, Type="SecureString", Overwrite=True)

    assert not [it for it in changes if "client_secret" in it]


def test_an_order_is_confirmed_with_the_permissions_of_the_roles_only(applied: Applied) -> None:
    pipeline = PipelineClient(applied.environment)
    sku = pipeline.create_sku(10)

    pipeline.place(pipeline.order("lone", sku, 3))

    pipeline.wait_for_status("lone", "CONFIRMED")
    assert pipeline.levels(sku) == (7, 0, 7)


def test_the_api_returns_an_order_to_a_user_of_its_tenant_and_requires_a_token(applied: Applied) -> None:
    pipeline, token = PipelineClient(applied.environment), applied.token("viewer")

    pipeline.place(pipeline.order("visible", pipeline.create_sku(10)))

    path = f"/api/orders/{pipeline.order_id('visible')}"
    wait_until(
        lambda: (applied.get(path, token) or {}).get("status") == "CONFIRMED",
        "the API returns the order as confirmed",
    )
    assert applied.get(path, "") is None


def test_a_session_at_the_one_origin_is_a_token_at_the_api(applied: Applied) -> None:
    session = {"Cookie": f"__Host-session={applied.token('editor')}"}

    signed_in = request(f"{applied.console_url}/api/orders?limit=100", headers=session)
    signed_out = request(f"{applied.console_url}/api/orders?limit=100")
    forged = request(f"{applied.console_url}/api/orders", method="POST", headers=session)

    assert (signed_in.status, signed_out.status, forged.status) == (200, 401, 403)


def test_pages_come_from_the_private_bucket_through_the_distribution_only(applied: Applied) -> None:
    bucket = applied.outputs["console"]["bucket"]
    s3 = applied.environment.client("s3")
    s3.put_object(Bucket=bucket, Key="index.html", Body=b"<p>page</p>", ContentType="text/html")

    page = request(f"{applied.console_url}/orders")
    direct = request(f"{applied.terraform.environ['AWS_ENDPOINT_URL']}/{bucket}/index.html")

    assert (page.status, page.body) == (200, b"<p>page</p>")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    uploads = f"{applied.terraform.environ['AWS_ENDPOINT_URL']}/{applied.bucket('raw-uploads')}"
    assert f"; connect-src 'self' {uploads}; " in policy
    assert direct.status == 403


def test_all_callers_invoke_the_live_alias(applied: Applied) -> None:
    topology = applied.environment.topology
    invoked = [
        *(it["function_name"] for it in applied.resources("aws_lambda_event_source_mapping")),
        *(it["integration_uri"] for it in applied.resources("aws_apigatewayv2_integration")),
        *(it["target"][0]["arn"] for it in applied.resources("aws_scheduler_schedule")),
        *(
            it["lambda_config"][0]["pre_token_generation_config"][0]["lambda_arn"]
            for it in applied.resources("aws_cognito_user_pool")
        ),
    ]
    published = {it["function_name"]: it["function_version"] for it in applied.resources("aws_lambda_alias")}

    assert len(invoked) == len(topology.functions) - len(topology.tasks)
    assert {arn.split(":")[7] for arn in invoked} == {"live"}
    assert published == {
        it["function_name"]: it["version"] for it in applied.resources("aws_lambda_function")
    }
    assert "$LATEST" not in published.values()


def test_the_state_contains_no_secret(applied: Applied) -> None:
    state = (applied.folder / "terraform.tfstate").read_text(encoding="utf-8")
    ssm, names = applied.environment.client("ssm"), applied.environment.names

    for secret in ("metrics-token", "cursor-key"):
        parameter = ssm.get_parameter(Name=names.secret(secret), WithDecryption=True)["Parameter"]
        assert parameter["Type"] == "SecureString"
        assert len(parameter["Value"]) >= 32
        assert parameter["Value"] not in state


@pytest.fixture(scope="session")
def remaining_resources(applied: Applied) -> dict[str, Any]:
    """Destroy the environment and list what remains."""
    applied.terraform.run(applied.folder, "destroy", "-auto-approve")
    environment = applied.environment
    inspectors = {
        name: inspect
        for name, inspect in deployed_resources.INSPECTORS.items()
        if name not in ("rules", "routes", "cors", "users")
    }
    return {name: found for name, inspect in inspectors.items() if (found := inspect(environment))}


def test_destroy_leaves_no_resources(remaining_resources: dict[str, Any], applied: Applied) -> None:
    roles = applied.environment.client("iam").list_roles()["Roles"]

    assert remaining_resources == {}
    assert [
        it["RoleName"] for it in roles if it["RoleName"].startswith(applied.environment.names.prefix)
    ] == []
    assert json.loads(applied.terraform.run(applied.folder, "show", "-json")).get("values") is None
