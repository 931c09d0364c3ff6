"""The real packages, built for this machine and imported by an interpreter that finds nothing else."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.common.project_files import CHECKOUT
from scripts.environment.topology import Topology
from scripts.packaging.packages import build
from scripts.packaging.target import Platform, Target
from scripts.packaging.wheels import FetchError

_LAZY_IMPORTS = """
from services.shared.adapters.clients import Clients
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.adapters.tracing import Tracing
from services.shared.log_events import LogEvent
clients = Clients()
clients.cloudwatch().get_paginator("get_metric_data")
clients.dynamodb().get_paginator("scan")
for make in (clients.events, clients.secretsmanager, clients.sqs, clients.ssm):
    make()
telemetry = PowertoolsTelemetry("order", "test-pulsequeue")
telemetry.count("orders_total", outcome="placed")
telemetry.info(LogEvent.REQUEST_SERVED, amount=1)
telemetry.flush()
sampled = {"_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"}
with Tracing("order", environ=sampled).batch():
    pass
"""

_LAZY_IMPORTS_OF_ANALYTICS = """
from datetime import UTC, datetime
import psycopg
from services.analytics.admin import commands, migrator
from services.shared.adapters.rds_iam import iam_password
from services.analytics.api.app import build
from services.analytics.api.openapi import text
from services.shared.database import Database, connector
from services.analytics.projector.service import Projector
from services.shared.adapters.telemetry import PowertoolsTelemetry
assert psycopg.pq.__impl__ == "binary"
assert migrator.read() and migrator.ROLES.read_text() and text()
answer = build(
    Database(connector("host=nobody.invalid", str)),
    cursor_keys=str,
    allowed_origins=["https://a.test"],
    clock=lambda: datetime.now(UTC),
    telemetry=PowertoolsTelemetry("analytics", "test-pulsequeue"),
    unprojected=lambda key: None,
    read_stock=lambda keys: {},
    find_membership=lambda tenant, user: None,
)
context = {"stage": "$default", "http": {"method": "GET"}}
assert answer({"rawPath": "/api/orders", "requestContext": context}, None)["statusCode"] == 401
"""


_LAZY_IMPORTS_OF_PAYMENT = """
from services.payment.gateway import ChargeRequest
from services.payment.stripe_gateway import gateway_of
from services.shared.errors import GatewayUnavailableError
nobody = gateway_of(lambda: "sk_live_nobody", "http://127.0.0.1:9")
request = ChargeRequest("default#o", "o", 1, "USD", "pm_1", "pi_1")
for call in (nobody.prepare, nobody.charge, nobody.void):
    try:
        call(request)
    except GatewayUnavailableError as error:
        assert "APIConnectionError" in str(error), error
    else:
        raise AssertionError(call)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The unpacked packages of this machine: folders by service."""
    try:
        packages = build(Topology.load(), Target.of(Platform.HOST))
    except FetchError as error:
        # Without a network there is nothing to build from. The lock itself is checked elsewhere: it is
        # part of the one that this environment was installed from.
        pytest.skip(str(error))
    folders = {}
    for package in packages:
        folders[package.service] = tmp_path_factory.mktemp(package.service)
        with zipfile.ZipFile(io.BytesIO(package.zip)) as archive:
            archive.extractall(folders[package.service])
    return folders


def _run(folder: Path, program: str) -> None:
    """Run a program in a fresh interpreter that finds only the package and the standard library."""
    completed = subprocess.run(  # noqa: S603 - our own program
        [
            sys.executable,
            "-I",
            "-S",
            "-B",
            "-c",
            f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}",
        ],
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


def test_the_packages_hold_all_that_their_functions_import_and_no_other_service(
    unpacked: Mapping[str, Path],
) -> None:
    for function in Topology.load().functions.values():
        module = function.handler.rpartition(".")[0]
        _run(unpacked[module.split(".")[1]], f"import {module}")

    for service, folder in unpacked.items():
        ours = {it.name for it in (folder / "services").iterdir() if it.is_dir()} - {"__pycache__"}
        assert ours == {service, "shared"}
        _run(folder, _LAZY_IMPORTS)


def test_payments_find_the_package_of_stripe_and_no_other_function_carries_it(
    unpacked: Mapping[str, Path],
) -> None:
    _run(unpacked["payment"], _LAZY_IMPORTS_OF_PAYMENT)
    # The default gateway does not pay for the import.
    _run(unpacked["payment"], "import services.payment.bootstrap; assert 'stripe' not in sys.modules")

    for part in ("stripe", "requests", "certifi", "charset_normalizer", "idna"):
        assert [name for name, folder in unpacked.items() if (folder / part).exists()] == ["payment"]
    # Of charset_normalizer, or of chardet, which datasets need.
    compiled = {name for name, folder in unpacked.items() if list(folder.glob("*__mypyc*"))}
    assert compiled <= {"payment", "datasets"}


def test_datasets_find_duckdb_and_no_other_function_carries_it(unpacked: Mapping[str, Path]) -> None:
    _run(
        unpacked["datasets"], "import services.datasets.ingest, duckdb; duckdb.connect().execute('select 1')"
    )
    # The API does not pay for the import.
    _run(
        unpacked["datasets"],
        "import services.datasets.api, services.datasets.store; assert 'duckdb' not in sys.modules",
    )

    for part in ("duckdb", "clevercsv", "chardet", "regex", "botocore/data/s3"):
        assert [name for name, folder in unpacked.items() if (folder / part).exists()] == ["datasets"]


def test_the_read_side_finds_its_driver_its_schema_and_its_routes(unpacked: Mapping[str, Path]) -> None:
    _run(unpacked["analytics"], _LAZY_IMPORTS_OF_ANALYTICS)


def test_each_package_carries_its_bill_of_materials(unpacked: Mapping[str, Path]) -> None:
    lock = (CHECKOUT / "requirements" / "lambda.txt").read_text(encoding="utf-8").splitlines()
    locked = {line.split()[0] for line in lock if "==" in line}
    listed = {}
    for service, folder in unpacked.items():
        bill = json.loads((folder / "sbom.cdx.json").read_bytes())
        listed[service] = {
            f"{it['name'].lower().replace('_', '-')}=={it['version']}" for it in bill["components"]
        }
        assert len(listed[service]) == len(list(folder.glob("*.dist-info")))
        assert listed[service] <= locked

    assert {it.partition("==")[0] for it in listed["analytics"] - listed["order"]} == {
        "psycopg",
        "psycopg-binary",
    }
