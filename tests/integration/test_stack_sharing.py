"""Tests that share a stack run in one process, in however many processes tests run."""

import pytest

ALONE = "master"
"""What pytest-xdist calls the one process there is without it."""


@pytest.mark.stack
def test_whoever_uses_a_stack_is_in_the_group_of_those_who_do(
    request: pytest.FixtureRequest, worker_id: str
) -> None:
    assert worker_id == ALONE or request.node.nodeid.endswith("@stack")


@pytest.mark.emulator
def test_whoever_uses_an_emulator_is_in_the_group_of_those_who_do(
    request: pytest.FixtureRequest, worker_id: str
) -> None:
    assert worker_id == ALONE or request.node.nodeid.endswith("@emulator")
