"""Which part of an environment there is, and whether there is any."""

from dataclasses import replace

import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws.provision import Overrides, provision
from scripts.verify.deployed import to_be_migrated
from tests.conftest import RunningEmulator


def test_an_environment_without_a_read_side_has_nothing_to_migrate(emulator: RunningEmulator) -> None:
    whole = Environment("small", Topology.load(), emulator.clients)
    left = {name: spec for name, spec in whole.topology.functions.items() if not spec.database}
    provision(replace(whole, topology=whole.topology.model_copy(update={"functions": left})), Overrides())

    assert not to_be_migrated(whole)


def test_an_environment_that_is_elsewhere_is_not_taken_for_one_without_a_read_side(
    emulator: RunningEmulator,
) -> None:
    with pytest.raises(ToolError, match=r"us-east-1 has no function of nosuch; is it deployed there\?"):
        to_be_migrated(Environment("nosuch", Topology.load(), emulator.clients))
