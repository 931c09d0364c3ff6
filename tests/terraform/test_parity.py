"""Terraform creates the same resources as the local stack, and what the tools expect."""

from collections.abc import Iterator

import pytest

from scripts.environment.environment import Clients, Environment
from scripts.environment.lambda_env import LambdaEnvInputs, SignIn
from scripts.environment.lambda_env import variables as expected_variables
from scripts.local.aws import emulator as ministack
from scripts.local.aws.provision import Overrides, provision
from scripts.local.stack import StackOptions
from tests.terraform import deployed_resources
from tests.terraform.conftest import HOLD_SECONDS, Applied

ORIGINS = StackOptions().web_origins

NO_XRAY = {"POWERTOOLS_TRACE_DISABLED": "true", "FOUNDING_ALLOWED": "true", "WEBHOOKS_ALLOW_LOCAL": "true"}
"""Both provisioners disable tracing because there is no X-Ray daemon on this machine."""


@pytest.fixture(scope="module")
def local_stack(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The same environment created by the local stack, on another emulator."""
    started = ministack.start(tmp_path_factory.mktemp("local-stack"), ministack.free_port())
    try:
        environment = Environment(
            "local",
            applied.environment.topology,
            Clients.of_emulator(
                started.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
            ),
        )
        provision(
            environment, Overrides(hold_seconds=HOLD_SECONDS, database=applied.database, web_origins=ORIGINS)
        )
        yield environment
    finally:
        ministack.stop(started)


@pytest.mark.parametrize("kind", [it for it in deployed_resources.INSPECTORS if it != "logs"])
def test_terraform_and_the_local_stack_create_the_same_resources(
    applied: Applied, local_stack: Environment, kind: str
) -> None:
    inspect = deployed_resources.INSPECTORS[kind]

    assert inspect(applied.environment) == inspect(local_stack)


def test_log_groups_are_the_same_but_for_the_access_log(applied: Applied, local_stack: Environment) -> None:
    terraform, local = deployed_resources.logs(applied.environment), deployed_resources.logs(local_stack)

    assert {name: days for name, days in terraform.items() if name in local} == local
    assert terraform.keys() - local.keys() == {f"/aws/vendedlogs/{applied.environment.names.api}-api"}


def test_functions_have_the_environment_variables_that_the_tools_expect(applied: Applied) -> None:
    names, topology = applied.environment.names, applied.environment.topology
    env_vars = {
        it["function_name"]: it["environment"][0]["variables"]
        for it in applied.resources("aws_lambda_function")
    }

    sign_in = SignIn(
        "http://localhost:5173",
        "http://127.0.0.1:1",
        "https://cognito-idp.us-east-1.amazonaws.com/pool",
        "http://127.0.0.1:1/pool/.well-known/jwks.json",
        "client",
    )

    for function in topology.functions:
        queues = (names.queue(function), names.dead_letter_queue(function))
        inputs = LambdaEnvInputs(HOLD_SECONDS, applied.database, *queues, ORIGINS, sign_in=sign_in)
        expected = expected_variables(names, topology, function, inputs) | NO_XRAY
        assert deployed_resources.variables(
            env_vars[names.function(function)]
        ) == deployed_resources.variables(expected)
