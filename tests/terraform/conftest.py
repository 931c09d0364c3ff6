"""Terraform as this machine has it, an emulator that checks rights, and one environment applied to it."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from scripts.environment import Clients, Environment
from scripts.errors import ToolError
from scripts.function_variables import DatabaseAddress
from scripts.local import emulator as ministack
from scripts.local.triggers import local_concurrency
from scripts.packaging.packages import by_service, services_alone
from scripts.terraform import MIRROR_VARIABLE, Terraform, find
from scripts.topology import CHECKOUT, Topology
from tests.conftest import RunningEmulator

HOLD_SECONDS = 6
SECRETS = f"arn:aws:secretsmanager:{ministack.REGION}:000000000000:secret"
DATABASE = DatabaseAddress(ministack.HOST, 5432, "disable")
"""Nobody is there: what needs it is made, and not run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one process what shares an applied environment, and destroy it last."""
    for item in items:
        if {"applied", "guarded"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.xdist_group("terraform"))
    items.sort(key=lambda item: "left_over" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    try:
        found = find()
    except ToolError as error:
        pytest.skip(str(error))
    if found.mirror is None:
        pytest.skip(f"no mirror of Terraform's AWS provider on this machine; name one by {MIRROR_VARIABLE}")
    # The emulator answers so fast that the provider's client takes answers for lost and sends again.
    return replace(found, environ={"GOMAXPROCS": "1"})


@pytest.fixture(scope="session")
def infra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of infra/, so that nothing that Terraform writes ends up in the tree."""
    copy = tmp_path_factory.mktemp("terraform") / "infra"
    shutil.copytree(CHECKOUT / "infra", copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    # What Prometheus and Grafana are told on AWS is what they are told here.
    (copy.parent / "monitoring").symlink_to(CHECKOUT / "monitoring")
    return copy


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator that refuses what a caller's policies do not allow."""
    home = tmp_path_factory.mktemp("guarded")
    started = ministack.start(home, ministack.free_port(), checks_rights=True)
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
def on_emulator(terraform: Terraform, guarded: RunningEmulator) -> Terraform:
    return replace(
        terraform,
        environ={
            **terraform.environ,
            "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": guarded.endpoint,
            "AWS_REGION": ministack.REGION,
        },
    )


@dataclass(frozen=True)
class Applied:
    """What Terraform made of infra/envs/local."""

    terraform: Terraform
    folder: Path
    environment: Environment
    outputs: Mapping[str, Any]
    state: Mapping[str, Any]

    def resources(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what there is of one kind, as the state has it."""
        everything = managed(self.state["values"]["root_module"])
        return [it["values"] for it in everything if it["type"] == kind]


def managed(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (it for it in module.get("resources", ()) if it["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from managed(child)


@pytest.fixture(scope="session")
def applied(
    on_emulator: Terraform,
    guarded: RunningEmulator,
    infra: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Applied:
    """One environment with a hold of seconds for all tests; the last of them destroys it."""
    topology, folder = Topology.load(), infra / "envs" / "local"
    environment = Environment("local", topology, guarded.clients)
    packages, code = tmp_path_factory.mktemp("packages"), services_alone()
    for service in by_service(topology):
        (packages / f"{service}.zip").write_bytes(code)
    values = {
        "package_folder": str(packages),
        "hold_seconds": HOLD_SECONDS,
        "concurrency_limit": local_concurrency(1_000),
        "database": {
            "host": DATABASE.host,
            "port": DATABASE.port,
            "secret_arn": f"{SECRETS}:{environment.names.database_secret}",
        },
    }
    (folder / "values.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    on_emulator.run(folder, "init")
    on_emulator.run(folder, "apply", "-auto-approve")
    return Applied(
        on_emulator,
        folder,
        environment,
        on_emulator.outputs(folder)["pulsequeue"],
        json.loads(on_emulator.run(folder, "show", "-json")),
    )
