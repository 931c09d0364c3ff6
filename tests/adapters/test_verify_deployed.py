"""Detection of the read side in an environment."""

from dataclasses import replace

import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.verify.resource_checks import has_read_side
from tests.conftest import RunningEmulator


def test_an_environment_without_database_functions_has_no_read_side(emulator: RunningEmulator) -> None:
    whole = Environment("small", Topology.load(), emulator.clients)
    functions = {name: spec for name, spec in whole.topology.functions.items() if not spec.database}
    provision(
        replace(whole, topology=whole.topology.model_copy(update={"functions": functions})), Overrides()
    )

    assert not has_read_side(whole)


def test_an_environment_in_another_region_is_not_taken_for_one_without_a_read_side(
    emulator: RunningEmulator,
) -> None:
    with pytest.raises(
        ToolError, match=r"us-east-1 has no function of nosuch; check the region, or deploy it there\."
    ):
        has_read_side(Environment("nosuch", Topology.load(), emulator.clients))
