"""What tests of more than one kind need: an emulator, and a whole stack, each in a folder of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.environment.environment import Clients, Environment, open_environment
from scripts.local import sample_orders
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions

HOLD_SECONDS = 6
RETRY_SECONDS = 2
SLOW_SECONDS = 7.0
"""A slow charge outlives the hold."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks who belongs together
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a stack or an emulator when tests run in several processes.

    So there is one of each, and no two stacks compete for the machine.
    """
    for item in items:
        needs = {"stack", "emulator"} & {
            *getattr(item, "fixturenames", ()),
            *(it.name for it in item.iter_markers()),
        }
        if needs:
            item.add_marker(pytest.mark.xdist_group("stack" if "stack" in needs else "emulator"))


@dataclass(frozen=True)
class RunningEmulator:
    """A bare emulator: nothing is created on it yet."""

    endpoint: str
    clients: Clients


@dataclass(frozen=True)
class RunningStack:
    """The whole stack, with a hold and a redelivery of seconds and an inventory of its own."""

    home: Path
    environment: Environment
    hold_seconds: int = HOLD_SECONDS
    retry_seconds: int = RETRY_SECONDS


@contextmanager
def _emulator(home: Path) -> Iterator[RunningEmulator]:
    started = ministack.start(home, ministack.free_port())
    try:
        yield RunningEmulator(
            started.endpoint,
            Clients.of_emulator(
                started.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
            ),
        )
    finally:
        ministack.stop(started)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """One bare emulator for all tests: whoever creates something gives it a name of its own."""
    with _emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole stack for all tests: whoever places orders gives them ids of their own."""
    home = tmp_path_factory.mktemp("stack")
    options = StackOptions(
        port=ministack.free_port(),
        hold_seconds=HOLD_SECONDS,
        retry_seconds=RETRY_SECONDS,
        gateway_slow_seconds=SLOW_SECONDS,
        shipper_seconds=0.2,
    )
    local_stack.up(options, home=home)
    try:
        environment = open_environment("local", home=home)
        sample_orders.seed(environment, sample_orders.catalogue())
        yield RunningStack(home, environment)
    finally:
        local_stack.down(home=home)
