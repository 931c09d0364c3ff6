"""An emulated AWS account: emulator, PostgreSQL behind its cluster, and the identities that deploy."""

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
from urllib.parse import urlsplit

import boto3
import psycopg
from botocore.config import Config

from scripts.common.project_files import CHECKOUT
from scripts.environment.environment import Clients, Environment
from scripts.environment.topology import Topology
from scripts.local import database, postgres
from scripts.local.aws import emulator as ministack
from scripts.local.aws.triggers import local_concurrency, route_url
from scripts.packaging.packages import by_service, services_alone

HOLD_SECONDS: Final = 6
REPOSITORY: Final = "acme/pulsequeue"
REPOSITORY_IDS: Final = {"owner": 123456, "repository": 456789}
SUBJECT: Final = f"repo:{REPOSITORY}"
SUBJECT_WITH_IDS: Final = "repo:acme@123456/pulsequeue@456789"
"""How GitHub names repositories that were created or renamed since 15 July 2026."""
USER: Final = "viewer"
PASSWORD: Final = "Aa1!a-long-password"
EMULATOR_OVERRIDES: Final = Path(__file__).parent / "emulated"
"""Override files for gaps of the emulator, copied over infra/."""
_ADMINISTRATOR: Final = "administrator"
"""The administrator that the Aurora module creates."""
_GRAFANA: Final = "grafana.example.com"
_CONFIG: Final = Config(s3={"addressing_style": "path"})
_ROOT: Final = {
    "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
    "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
}
_OWN_PREFIXES: Final = ("AWS_", "TF_", "PULSEQUEUE_", "GRAFANA_", "PROMETHEUS_")
"""Prefixes of variables that configure our tools; none may leak in from the environment of the tests."""


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
        """The environment, with the credentials of the account's administrator."""
        root = (ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY)
        return Environment("dev", Topology.load(), Clients.of_emulator(self.endpoint, *root))

    @property
    def administrator_environ(self) -> Mapping[str, str]:
        """Environment variables of an administrator's shell."""
        return {
            **_clean_environ(),
            # The emulator answers so fast that the provider's client considers responses lost and retries.
            "GOMAXPROCS": "1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": ministack.REGION,
            **_ROOT,
            "TF_VAR_repository": REPOSITORY,
            "TF_VAR_repository_ids": json.dumps(REPOSITORY_IDS),
        }

    def request_certificate(self) -> str:
        """Request a certificate for Grafana's host name; return its ARN."""
        return str(self.client("acm").request_certificate(DomainName=_GRAFANA)["CertificateArn"])

    def empty_bucket(self, bucket: str) -> None:
        """Delete all object versions of a bucket."""
        s3 = self.client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for it in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                s3.delete_object(Bucket=bucket, Key=it["Key"], VersionId=it["VersionId"])

    def client(self, service: str, keys: Mapping[str, str] = _ROOT) -> Any:  # noqa: ANN401 - of any service
        """Create a client of a service with these credentials."""
        make: Any = boto3.client
        return make(
            service,
            region_name=ministack.REGION,
            endpoint_url=self.endpoint,
            config=_CONFIG,
            **{name.lower(): key for name, key in keys.items()},
        )

    def assume_role(
        self, role: str, environment: str, repository: str = SUBJECT_WITH_IDS
    ) -> Mapping[str, str]:
        """Assume a role with the token of a GitHub job of an environment; return the credentials."""
        assume_role = self.dev.client("sts").assume_role_with_web_identity(
            RoleArn=role,
            RoleSessionName="job",
            WebIdentityToken=_token(f"{repository}:environment:{environment}"),
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": assume_role["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": assume_role["SecretAccessKey"],
            "AWS_SESSION_TOKEN": assume_role["SessionToken"],
        }

    def job_environ(self, role: str, state_bucket: str, request_certificate: str) -> Mapping[str, str]:
        """Environment variables of a job of the GitHub environment dev."""
        emulator = {
            "architecture": {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
            "concurrency_limit": local_concurrency(1_000),
            "database_port": self.database_port,
            "hold_seconds": HOLD_SECONDS,
            "port": urlsplit(self.endpoint).port,
        }
        monitoring = {
            "hostname": _GRAFANA,
            "certificate_arn": request_certificate,
            "cidrs": ["10.0.0.0/8"],
        }
        return {
            **self.administrator_environ,
            **self.assume_role(role, "dev"),
            # The code under test, even if the command was installed from another checkout.
            "PYTHONPATH": str(CHECKOUT),
            "PULSEQUEUE_ENVIRONMENTS": str(self.infra / "envs"),
            "PULSEQUEUE_STATE_BUCKET": state_bucket,
            "PULSEQUEUE_API_URL": route_url(self.endpoint, self.dev.names.api, ""),
            "PULSEQUEUE_USER": USER,
            "PULSEQUEUE_PASSWORD": PASSWORD,
            "TF_VAR_notify": json.dumps({"emails": ["ops@example.com"]}),
            "TF_VAR_package_folder": str(self.home / "packages"),
            "TF_VAR_emulator": json.dumps(emulator),
            "TF_VAR_monitoring": json.dumps(monitoring),
            # The provider spends its time waiting, so that parallelism does not load the emulator.
            "TF_CLI_ARGS_apply": "-parallelism=40",
        }


@contextmanager
def open_account(home: Path) -> Iterator[Account]:
    """Start an empty account that enforces IAM policies."""
    with ExitStack() as stack:
        server = postgres.start(home / "postgres.log")
        stack.callback(postgres.stop, server)
        _create_administrator(server)
        emulator = ministack.start(home, ministack.free_port(), checks_rights=True)
        stack.callback(ministack.stop, emulator)
        _copy_infra(home)
        yield Account(emulator.endpoint, home, server.port)


def run_pulsequeue(arguments: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `pulsequeue` without input."""
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


def _clean_environ() -> Mapping[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OWN_PREFIXES)}


def _token(subject: str) -> str:
    """Build a token like GitHub's; the emulator checks no signature."""
    claims = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "sub": subject,
    }
    return ".".join([*map(_base64url, ({"alg": "none"}, claims)), ""])


def _base64url(part: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _create_administrator(server: postgres.Postgres) -> None:
    database.make(server)
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as connection:
        connection.execute("CREATE ROLE rds_iam")
        connection.execute(f"CREATE ROLE {_ADMINISTRATOR} LOGIN CREATEROLE".encode())
        # As the administrator of RDS may. RDS then refuses its password: tests/postgres/test_rds_sign_in.py.
        connection.execute(f"GRANT rds_iam TO {_ADMINISTRATOR} WITH ADMIN TRUE, INHERIT FALSE".encode())
        connection.execute(f"ALTER DATABASE {database.NAME} OWNER TO {_ADMINISTRATOR}".encode())


def _copy_infra(home: Path) -> None:
    """Copy infra/ and the override files for gaps of the emulator."""
    infra, packages = home / "infra", home / "packages"
    shutil.copytree(CHECKOUT / "infra", infra, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    shutil.copytree(EMULATOR_OVERRIDES, infra, dirs_exist_ok=True)
    # Prometheus and Grafana get the same files as on AWS.
    (home / "monitoring").symlink_to(CHECKOUT / "monitoring")
    packages.mkdir()
    code = services_alone()
    for service in by_service(Topology.load()):
        (packages / f"{service}.zip").write_bytes(code)
