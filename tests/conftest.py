"""Fixtures for tests of several kinds: an emulator, and a whole stack, each in its own folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from hypothesis import settings

from scripts.environment.environment import Clients, Environment, open_environment
from scripts.local import sample_orders
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions

# pytest-xdist sets it; the command line would fit its tables to it.
os.environ.pop("COLUMNS", None)

# Each session would parse the descriptions of its services again: 40 ms and more a client.
botocore.session.create_loader = cache(botocore.session.create_loader)

# A busy machine makes an example slow, not wrong.
settings.register_profile("pulsequeue", deadline=None)
settings.load_profile("pulsequeue")

HOLD_SECONDS = 6
RETRY_SECONDS = 2
SLOW_SECONDS = 14.0
"""Longer than the hold and the batch window of expiries: a slow charge arrives after its order expired."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that share a stack or an emulator in one process: there is one of each per test run."""
    for item in items:
        shared = {"stack", "emulator"} & {
            *getattr(item, "fixturenames", ()),
            *(it.name for it in item.iter_markers()),
        }
        if shared:
            item.add_marker(pytest.mark.xdist_group("stack" if "stack" in shared else "emulator"))


@dataclass(frozen=True)
class RunningEmulator:
    """An empty emulator."""

    endpoint: str
    clients: Clients


@dataclass(frozen=True)
class RunningStack:
    """The whole stack, with a hold and a redelivery of seconds, and the sample products in stock."""

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
    """One empty emulator for all tests; each test gives its resources names of their own."""
    with _emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """One stack for all tests; each test gives its orders ids of their own."""
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
        local_stack.reset(home=home)
