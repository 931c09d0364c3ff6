"""Terraform as this machine has it, an emulator that checks rights, and one environment applied to it."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from scripts.common.errors import ToolError
from scripts.deploy.terraform import MIRROR_VARIABLE, Terraform, find_with_providers
from scripts.environment.cognito import token
from scripts.environment.environment import Clients, Environment
from scripts.environment.lambda_env import DatabaseAddress
from scripts.environment.topology import CHECKOUT, Topology
from scripts.local import database, postgres
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import local_concurrency, route_url
from scripts.local.aws.user_pool import TENANT, User, add_user
from scripts.packaging.packages import by_service, services_alone
from tests.conftest import RunningEmulator

HOLD_SECONDS = 6
PASSWORD = "Aa1!a-long-password"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks who belongs together
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one process what shares an applied environment, and destroy it last; applying takes minutes."""
    for item in items:
        fixtures = {*getattr(item, "fixturenames", ())}
        if {"applied", "guarded"} & fixtures:
            item.add_marker(pytest.mark.xdist_group("terraform"))
        if {"applied", "guarded", "account"} & fixtures:
            item.add_marker(pytest.mark.heavy)
    items.sort(key=lambda item: "left_over" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    try:
        found = find_with_providers(CHECKOUT / "build" / "terraform")
    except ToolError as error:
        pytest.skip(f"no Terraform with its AWS provider; {MIRROR_VARIABLE} can name a mirror. {error}")
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
    database: DatabaseAddress

    def resources(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what there is of one kind, as the state has it."""
        everything = managed(self.state["values"]["root_module"])
        return [it["values"] for it in everything if it["type"] == kind]

    def secret(self, name: str) -> str:
        """Read a secret that Terraform made up."""
        parameter = self.environment.names.secret(name)
        answer = self.environment.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
        return answer["Parameter"]["Value"]

    def token(self, name: str) -> str:
        """Sign in a new user, who may look."""
        add_user(self.environment, self.outputs["users"]["pool_id"], User(name, "viewer", TENANT), PASSWORD)
        return token(self.environment, name, PASSWORD)

    def ask(self, path: str, signed: str) -> Any:  # noqa: ANN401 - what the API tells
        """Ask the API over HTTP; None when it does not tell."""
        url = route_url(self.terraform.environ["AWS_ENDPOINT_URL"], self.outputs["api_id"], path)
        headers = {"Authorization": f"Bearer {signed}"} if signed else {}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            error.close()
            return None


def managed(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (it for it in module.get("resources", ()) if it["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from managed(child)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseAddress]:
    """PostgreSQL as Aurora would come, but for looking at nobody's token."""
    started = postgres.start(tmp_path_factory.mktemp("postgres") / "postgres.log")
    try:
        database.make(started)
        yield DatabaseAddress(postgres.HOST, started.port, "disable")
    finally:
        postgres.stop(started)


@pytest.fixture(scope="session")
def applied(
    on_emulator: Terraform,
    guarded: RunningEmulator,
    empty_database: DatabaseAddress,
    infra: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Applied:
    """One environment with a hold of seconds for all tests; the last of them destroys it."""
    topology, folder = Topology.load(), infra / "envs" / "local"
    environment = Environment("local", topology, guarded.clients)
    packages, code = tmp_path_factory.mktemp("packages"), services_alone()
    for service in by_service(topology):
        (packages / f"{service}.zip").write_bytes(code)
    secret = environment.client("secretsmanager").create_secret(
        Name=environment.names.database_secret,
        SecretString=json.dumps({"username": postgres.SUPERUSER, "password": ""}),
    )
    values = {
        "package_folder": str(packages),
        "hold_seconds": HOLD_SECONDS,
        "concurrency_limit": local_concurrency(1_000),
        "database": {
            "host": empty_database.host,
            "port": empty_database.port,
            "secret_arn": secret["ARN"],
        },
    }
    (folder / "values.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    on_emulator.run(folder, "init")
    on_emulator.run(folder, "apply", "-auto-approve")
    database.migrate(environment)
    return Applied(
        on_emulator,
        folder,
        environment,
        on_emulator.outputs(folder)["pulsequeue"],
        json.loads(on_emulator.run(folder, "show", "-json")),
        empty_database,
    )
