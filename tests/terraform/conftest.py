"""Fixtures: the installed Terraform, an emulator that enforces IAM, and an environment applied to it."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT
from scripts.deploy.terraform import MIRROR_VARIABLE, Terraform, find_with_providers
from scripts.environment.cognito import token
from scripts.environment.environment import Clients, Environment
from scripts.environment.lambda_env import LOCAL_ACCOUNT, DatabaseAddress
from scripts.environment.topology import Topology
from scripts.local import database, postgres
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import local_concurrency, route_url
from scripts.local.aws.user_pool import TENANT, User, add_user
from scripts.packaging.packages import by_service, services_alone
from tests.conftest import RunningEmulator

HOLD_SECONDS = 6
PASSWORD = "Aa1!a-long-password"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that share an applied environment in one process, its destruction last; mark them heavy."""
    for item in items:
        fixtures = {*getattr(item, "fixturenames", ())}
        if {"applied", "iam_emulator"} & fixtures:
            item.add_marker(pytest.mark.xdist_group("terraform"))
        if {"applied", "iam_emulator", "account"} & fixtures:
            item.add_marker(pytest.mark.heavy)
    items.sort(key=lambda item: "remaining_resources" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def terraform() -> Terraform:
    try:
        found = find_with_providers(CHECKOUT / "build" / "terraform")
    except ToolError as error:
        pytest.skip(f"no Terraform with its AWS provider; {MIRROR_VARIABLE} can name a mirror. {error}")
    # The emulator answers so fast that the provider's client considers responses lost and retries.
    return replace(found, environ={"GOMAXPROCS": "1"})


@pytest.fixture(scope="session")
def infra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of infra/, so that Terraform writes nothing into the checkout."""
    copy = tmp_path_factory.mktemp("terraform") / "infra"
    shutil.copytree(CHECKOUT / "infra", copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    # Prometheus and Grafana get the same files as on AWS.
    (copy.parent / "monitoring").symlink_to(CHECKOUT / "monitoring")
    return copy


@pytest.fixture(scope="session")
def iam_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator that denies calls without a permission in the caller's policies."""
    home = tmp_path_factory.mktemp("iam-emulator")
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
def terraform_on_emulator(terraform: Terraform, iam_emulator: RunningEmulator) -> Terraform:
    return replace(
        terraform,
        environ={
            **terraform.environ,
            "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": iam_emulator.endpoint,
            "AWS_REGION": ministack.REGION,
        },
    )


@dataclass(frozen=True)
class Applied:
    """The environment that Terraform created from infra/envs/local."""

    terraform: Terraform
    folder: Path
    environment: Environment
    outputs: Mapping[str, Any]
    state: Mapping[str, Any]
    database: DatabaseAddress

    def resources(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the attributes of all resources of one type in the state."""
        resources_of_state = managed_resources(self.state["values"]["root_module"])
        return [it["values"] for it in resources_of_state if it["type"] == kind]

    def secret(self, name: str) -> str:
        """Read a secret that Terraform generated."""
        parameter = self.environment.names.secret(name)
        response = self.environment.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
        return response["Parameter"]["Value"]

    def token(self, name: str, role: str = "viewer") -> str:
        """Create a user, sign in, and return the token."""
        add_user(self.environment, self.outputs["users"]["pool_id"], User(name, role, TENANT), PASSWORD)
        return token(self.environment, name, PASSWORD)

    @property
    def console_url(self) -> str:
        """The one origin, by the name that the emulator serves it by."""
        label = self.outputs["console"]["domain_name"].partition(".")[0]
        port = urlsplit(self.terraform.environ["AWS_ENDPOINT_URL"]).port
        return f"http://{label}.cloudfront.localhost:{port}"

    def bucket(self, name: str) -> str:
        return self.environment.names.bucket(name, LOCAL_ACCOUNT)

    def get(self, path: str, token_value: str) -> Any:  # noqa: ANN401 - JSON of the API
        """GET a path of the API; None on an HTTP error."""
        url = route_url(self.terraform.environ["AWS_ENDPOINT_URL"], self.outputs["api_id"], path)
        headers = {"Authorization": f"Bearer {token_value}"} if token_value else {}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - loopback
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            error.close()
            return None


def managed_resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (it for it in module.get("resources", ()) if it["mode"] == "managed")
    for child in module.get("child_modules", ()):
        yield from managed_resources(child)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseAddress]:
    """PostgreSQL in the initial state of Aurora, but it checks no IAM tokens."""
    started = postgres.start(tmp_path_factory.mktemp("postgres") / "postgres.log")
    try:
        database.make(started)
        yield DatabaseAddress(postgres.HOST, started.port, "disable")
    finally:
        postgres.stop(started)


@pytest.fixture(scope="session")
def applied(
    terraform_on_emulator: Terraform,
    iam_emulator: RunningEmulator,
    empty_database: DatabaseAddress,
    infra: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Applied:
    """One environment with a hold of seconds for all tests; the last test destroys it."""
    topology, folder = Topology.load(), infra / "envs" / "local"
    environment = Environment("local", topology, iam_emulator.clients)
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
        "emulator_port": urlsplit(iam_emulator.endpoint).port,
        "concurrency_limit": local_concurrency(1_000),
        "emulator_url": iam_emulator.endpoint,
        "database": {
            "host": empty_database.host,
            "port": empty_database.port,
            "secret_arn": secret["ARN"],
        },
    }
    (folder / "values.auto.tfvars.json").write_text(json.dumps(values), encoding="utf-8")
    terraform_on_emulator.run(folder, "init")
    terraform_on_emulator.run(folder, "apply", "-auto-approve")
    database.migrate(environment)
    return Applied(
        terraform_on_emulator,
        folder,
        environment,
        terraform_on_emulator.outputs(folder)["pulsequeue"],
        json.loads(terraform_on_emulator.run(folder, "show", "-json")),
        empty_database,
    )
