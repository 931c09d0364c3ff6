"""What Terraform makes is what the one-machine stack makes, and what the tools take for granted."""

from collections.abc import Iterator

import pytest

from scripts.environment.environment import Clients, Environment
from scripts.environment.lambda_env import LambdaEnvInputs
from scripts.environment.lambda_env import variables as expected
from scripts.local.aws import emulator as ministack
from scripts.local.aws.provision import Overrides, provision
from tests.terraform import deployed_resources
from tests.terraform.conftest import HOLD_SECONDS, Applied

ONLY_HERE = {"POWERTOOLS_TRACE_DISABLED": "true"}
"""What both provisioners tell every function because there is no X-Ray daemon on this machine."""


@pytest.fixture(scope="module")
def twin(applied: Applied, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The same environment as the one-machine stack makes it, on an emulator of its own."""
    started = ministack.start(tmp_path_factory.mktemp("twin"), ministack.free_port())
    try:
        environment = Environment(
            "local",
            applied.environment.topology,
            Clients.of_emulator(
                started.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
            ),
        )
        provision(environment, Overrides(hold_seconds=HOLD_SECONDS, database=applied.database))
        yield environment
    finally:
        ministack.stop(started)


@pytest.mark.parametrize("kind", [it for it in deployed_resources.EVERYTHING if it != "logs"])
def test_both_make_the_same(applied: Applied, twin: Environment, kind: str) -> None:
    look = deployed_resources.EVERYTHING[kind]

    assert look(applied.environment) == look(twin)


def test_both_keep_the_same_logs_and_terraform_also_the_requests(applied: Applied, twin: Environment) -> None:
    here, there = deployed_resources.logs(applied.environment), deployed_resources.logs(twin)

    assert {name: days for name, days in here.items() if name in there} == there
    assert here.keys() - there.keys() == {f"/aws/vendedlogs/{applied.environment.names.api}-api"}


def test_a_function_is_told_what_the_tools_say_that_it_is_told(applied: Applied) -> None:
    names, topology = applied.environment.names, applied.environment.topology
    told = {
        it["function_name"]: it["environment"][0]["variables"]
        for it in applied.resources("aws_lambda_function")
    }

    for function in topology.functions:
        around = LambdaEnvInputs(HOLD_SECONDS, applied.database, names.dead_letter_queue(function))
        should = expected(names, topology, function, around) | ONLY_HERE
        assert deployed_resources.variables(told[names.function(function)]) == deployed_resources.variables(
            should
        )
