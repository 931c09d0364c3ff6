"""An AWS account on this machine: an emulator, PostgreSQL behind its cluster, and who deploys into it."""

import base64
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import boto3
import psycopg
from botocore.config import Config

from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import CHECKOUT, Topology
from scripts.local import database, postgres
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import local_concurrency, route_url
from scripts.packaging.packages import by_service, services_alone

HOLD_SECONDS: Final = 6
REPOSITORY: Final = "acme/pulsequeue"
USER: Final = "viewer"
PASSWORD: Final = "Aa1!a-long-password"
EMULATED: Final = Path(__file__).parent / "emulated"
"""What is laid over infra/ where the emulator has gaps."""
_ADMINISTRATOR: Final = "administrator"
"""Whom Aurora's module makes."""
_GRAFANA: Final = "grafana.example.com"
_CONFIG: Final = Config(s3={"addressing_style": "path"})
_ROOT: Final = {
    "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
    "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
}
_OURS: Final = ("AWS_", "TF_", "PULSEQUEUE_", "GRAFANA_", "PROMETHEUS_")
"""How what tells our tools something begins: nothing of it may leak in from who runs the tests."""


@dataclass(frozen=True)
class Account:
    endpoint: str
    home: Path
    database_port: int

    @property
    def infra(self) -> Path:
        return self.home / "infra"

    @cached_property
    def dev(self) -> Environment:
        """The environment as who administers the account sees it."""
        root = (ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY)
        return Environment("dev", Topology.load(), Clients.of_emulator(self.endpoint, *root))

    @property
    def as_administrator(self) -> Mapping[str, str]:
        """What somebody who administers the account has in his shell."""
        return {
            **_shell(),
            # The emulator answers so fast that the provider's client takes answers for lost and sends again.
            "GOMAXPROCS": "1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": ministack.REGION,
            **_ROOT,
            "TF_VAR_repository": REPOSITORY,
        }

    def certificate(self) -> str:
        """Have a certificate for Grafana's name, and return its ARN."""
        return str(self.client("acm").request_certificate(DomainName=_GRAFANA)["CertificateArn"])

    def empty(self, bucket: str) -> None:
        """Delete all that a bucket holds, and has held."""
        s3 = self.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for it in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                s3.delete_object(Bucket=bucket, Key=it["Key"], VersionId=it["VersionId"])

    def client(self, service: str, keys: Mapping[str, str] = _ROOT) -> Any:  # noqa: ANN401 - of any service
        """Return a client of a service, for whom these keys belong to."""
        make: Any = boto3.client
        return make(
            service,
            region_name=ministack.REGION,
            endpoint_url=self.endpoint,
            config=_CONFIG,
            **{name.lower(): key for name, key in keys.items()},
        )

    def lent(self, role: str, environment: str) -> Mapping[str, str]:
        """Show a role the token that GitHub gives to the jobs of an environment; return the keys it lends."""
        lent = self.dev.client("sts").assume_role_with_web_identity(
            RoleArn=role,
            RoleSessionName="job",
            WebIdentityToken=_token(f"repo:{REPOSITORY}:environment:{environment}"),
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": lent["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": lent["SecretAccessKey"],
            "AWS_SESSION_TOKEN": lent["SessionToken"],
        }

    def as_job(self, role: str, state_bucket: str, certificate: str) -> Mapping[str, str]:
        """What a job of GitHub's environment dev has in its shell."""
        emulator = {
            "architecture": {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "concurrency_limit": local_concurrency(1_000),
            "database_port": self.database_port,
            "hold_seconds": HOLD_SECONDS,
        }
        monitoring = {
            "hostname": _GRAFANA,
            "certificate_arn": certificate,
            "cidrs": ["10.0.0.0/8"],
        }
        return {
            **self.as_administrator,
            **self.lent(role, "dev"),
            # The code that is tested, whichever checkout the command was installed from.
            "PYTHONPATH": str(CHECKOUT),
            "PULSEQUEUE_ENVIRONMENTS": str(self.infra / "envs"),
            "PULSEQUEUE_STATE_BUCKET": state_bucket,
            "PULSEQUEUE_API_URL": route_url(self.endpoint, self.dev.names.api, ""),
            "PULSEQUEUE_USER": USER,
            "PULSEQUEUE_PASSWORD": PASSWORD,
            "TF_VAR_told": json.dumps({"emails": ["ops@example.com"]}),
            "TF_VAR_package_folder": str(self.home / "packages"),
            "TF_VAR_emulator": json.dumps(emulator),
            "TF_VAR_monitoring": json.dumps(monitoring),
            # What takes long is waited for by the provider, and not worked at by the emulator.
            "TF_CLI_ARGS_apply": "-parallelism=40",
        }


@contextmanager
def opened(home: Path) -> Iterator[Account]:
    """Open an account that checks rights, with nothing in it."""
    with ExitStack() as closing_down:
        server = postgres.start(home / "postgres.log")
        closing_down.callback(postgres.stop, server)
        _as_aurora_would_come(server)
        emulator = ministack.start(home, ministack.free_port(), checks_rights=True)
        closing_down.callback(ministack.stop, emulator)
        _copy(home)
        yield Account(emulator.endpoint, home, server.port)


def ended(arguments: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `pulsequeue` as a person would whose terminal nobody types into."""
    program = Path(sys.executable).parent / "pulsequeue"
    return subprocess.run(  # noqa: S603 - our own program
        [program, *arguments],
        env=environ,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _shell() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}


def _token(subject: str) -> str:
    """Spell a token as GitHub does. Nobody here could check a signature."""
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": subject,
    }
    return ".".join([*map(_encoded, ({"alg": "none"}, claims)), ""])


def _encoded(part: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _as_aurora_would_come(server: postgres.Postgres) -> None:
    database.make(server)
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as connection:
        connection.execute(f"CREATE ROLE {_ADMINISTRATOR} LOGIN SUPERUSER".encode())


def _copy(home: Path) -> None:
    """Copy infra/, and lay over it what bridges the gaps of the emulator."""
    infra, packages = home / "infra", home / "packages"
    shutil.copytree(CHECKOUT / "infra", infra, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    shutil.copytree(EMULATED, infra, dirs_exist_ok=True)
    # What Prometheus and Grafana are told on AWS is what they are told here.
    (home / "monitoring").symlink_to(CHECKOUT / "monitoring")
    packages.mkdir()
    code = services_alone()
    for service in by_service(Topology.load()):
        (packages / f"{service}.zip").write_bytes(code)
