"""The command line from a wheel, in a virtual environment of its own, from a folder that is no checkout."""

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.common.project_files import CHECKOUT
from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws import emulator as ministack
from scripts.local.aws.provision import Overrides, provision
from services.version import __version__
from tests.conftest import RunningEmulator

pytestmark = [pytest.mark.emulator, pytest.mark.heavy]

ENV = "installed"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        assert self.out, self.err
        return json.loads(self.out)


@dataclass(frozen=True)
class Installed:
    program: Path
    folder: Path
    variables: dict[str, str]

    def __call__(self, *arguments: str) -> Ran:
        ended = subprocess.run(  # noqa: S603 - our own program
            [str(self.program), *arguments],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in ended.stderr
        return Ran(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def pulsequeue(emulator: RunningEmulator, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel; its dependencies are those of this test run, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    _run(str(uv), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", str(python), str(wheel))
    # A plain path: the .pth files in that folder, and so the checkout, are not read.
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    environment = Environment(ENV, Topology.load(), emulator.clients)
    provision(environment, Overrides())
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(elsewhere),
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_REGION": environment.region,
        "AWS_ACCESS_KEY_ID": ministack.ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ministack.SECRET_ACCESS_KEY,
    }
    return Installed(folder / "venv" / "bin" / "pulsequeue", elsewhere, variables)


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)  # noqa: S603 - our own tools


def test_it_is_the_wheel_that_runs(pulsequeue: Installed) -> None:
    python = pulsequeue.program.parent / "python"
    script = "import scripts, services; print(scripts.__path__[0], services.__path__[0])"
    ended = subprocess.run(  # noqa: S603 - as above
        [str(python), "-c", script], capture_output=True, text=True, check=True, cwd=pulsequeue.folder
    )

    assert str(CHECKOUT) not in ended.stdout
    assert pulsequeue("--version").out == f"pulsequeue {__version__}\n"


def test_stock_and_orders_of_a_deployed_environment_are_served(pulsequeue: Installed) -> None:
    seeded = pulsequeue("inventory", "seed", "--env", ENV)
    stock = pulsequeue("--env", ENV, "inventory", "ls", "--json")
    published = pulsequeue("publish", "--order-id", "from-a-wheel", "--item", "prod-001=1", "--env", ENV)
    orders = pulsequeue("order", "ls", "--env", ENV, "--json")

    assert (seeded.code, published.code, orders.code) == (0, 0, 0)
    assert {it["sku"] for it in stock.json} >= {"prod-001"}
    assert published.out == "from-a-wheel\n"


def test_the_status_is_that_of_the_environment_that_is_named(pulsequeue: Installed) -> None:
    ran = pulsequeue("status", "--env", ENV, "--json")

    assert ran.json["env"] == ENV
    assert {it["name"] for it in ran.json["queues"]} >= {f"{ENV}-pulsequeue-order"}
    assert all(it["name"].startswith(f"{ENV}-pulsequeue-") for it in ran.json["functions"])
    assert ran.json["problems"] == []
    assert ran.code == 0


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("logs",),
        ("inventory", "ls"),
        ("order", "ls"),
        ("order", "show", "o-1"),
        ("dlq", "ls"),
        ("publish", "--item", "prod-001=1"),
        ("metrics",),
        ("audit",),
        ("db", "status"),
        ("verify",),
    ],
    ids=" ".join,
)
def test_an_environment_that_does_not_exist_is_refused(
    pulsequeue: Installed, command: tuple[str, ...]
) -> None:
    ran = pulsequeue(*command, "--env", "instaled")

    assert ran.code != 0
    assert ran.err.startswith("pulsequeue: ") or "pulsequeue: " in ran.err
    assert "instaled" in ran.err
    assert "healthy" not in ran.out


def test_files_of_the_project_come_with_it(pulsequeue: Installed) -> None:
    cost = pulsequeue("cost", "--env", "prod", "--json")
    schema = pulsequeue("events", "schema", "OrderPlaced")
    consumers = pulsequeue("events", "ls", "--json")
    dashboards = pulsequeue("grafana", "setup", "http://127.0.0.1:9", "admin", "x", "http://prometheus:9090")

    assert cost.json["environment"] == "prod"
    assert schema.json["title"] == "OrderPlaced"
    assert consumers.json[0]["consumedBy"]
    assert "there are no dashboards" not in dashboards.err


@pytest.mark.parametrize(
    "command",
    [("up",), ("monitoring", "up"), ("package",), ("deploy", "--env", "dev"), ("grafana", "build")],
    ids=" ".join,
)
def test_a_command_of_the_checkout_says_so(pulsequeue: Installed, command: tuple[str, ...]) -> None:
    ran = pulsequeue(*command)

    assert ran.code == 1
    assert "needs a checkout of the repository; in one, run `make install`" in ran.err
    assert len(ran.err.splitlines()) == 1
