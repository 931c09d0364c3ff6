"""The sizes that bills are computed from are those of the environments as Terraform plans them."""

from pathlib import Path

import pytest

from scripts.cost.environments import load_sizes
from scripts.deploy.environment_sizes import ENVIRONMENTS, copy_for_planning, planned_sizes
from scripts.deploy.terraform import Terraform


@pytest.fixture(scope="module")
def plannable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_for_planning(tmp_path_factory.mktemp("sizes"))


@pytest.mark.heavy
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_recorded_size_is_the_planned_one(
    terraform_on_emulator: Terraform, plannable: Path, name: str
) -> None:
    planned = planned_sizes(terraform_on_emulator, plannable, name)

    assert load_sizes()[name] == planned, "environments.json is outdated; run `make environment-sizes`"


def test_every_environment_has_a_recorded_size() -> None:
    assert tuple(load_sizes()) == ENVIRONMENTS
