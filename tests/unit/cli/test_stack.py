"""`pulsequeue up`, `down`, `reset` and `status` without a running stack."""

import socket
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.environment.local_state import HOME_VARIABLE, make_home
from scripts.local import stack_data
from scripts.local.aws import emulator
from tests.unit.conftest import CommandLine


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_down_says_that_data_is_kept_and_how_to_remove_it(pulsequeue: CommandLine, home: Path) -> None:
    make_home(home)
    stack_data.open_data(home)

    assert "`make reset` removes it" in pulsequeue("down").out
    assert pulsequeue("down", "--json").json == {"stopped": False, "dataKept": True}
    stack_data.reset(home)
    assert pulsequeue("down").out == "The local stack was not running.\n"


def test_reset_without_a_terminal_needs_yes(pulsequeue: CommandLine, home: Path) -> None:
    make_home(home)
    stack_data.open_data(home)

    refused = pulsequeue("reset")

    assert refused.code == 1
    assert "confirm it with --yes (make reset YES=1)" in refused.err
    assert stack_data.StackData.read(home) is not None
    assert pulsequeue("reset", "--yes", "--json").json == {"removed": True}
    assert pulsequeue("reset", "--yes").out == "There was no data to remove.\n"


def test_a_taken_database_port_is_refused_before_anything_starts(pulsequeue: CommandLine, home: Path) -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        port, emulator_port = taken.getsockname()[1], free.getsockname()[1]
        free.close()

        ran = pulsequeue("up", "--port", str(emulator_port), "--db-port", str(port))

    assert ran.code == 1
    assert ran.err == (
        f"pulsequeue: port {port} on 127.0.0.1 is taken by another program; "
        "choose another one with --db-port (make up DB_PORT=...).\n"
    )
    assert stack_data.StackData.read(home) is None


def test_the_next_up_uses_the_ports_of_the_last(
    pulsequeue: CommandLine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(home)
    stack_data.prepare(home, stack_data.open_data(home), 4820)
    started: list[int] = []

    def start(_home: Path, port: int, **_: object) -> None:
        started.append(port)
        raise ToolError("enough.")

    monkeypatch.setattr(emulator, "start", start)

    assert pulsequeue("up").err.endswith("enough.\n")
    pulsequeue("up", "--port", "4821")
    pulsequeue("up")

    assert started == [4820, 4821, 4821]
    stack_data.reset(home)


def test_one_port_for_both_is_refused(pulsequeue: CommandLine) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    assert "cannot both listen on port" in pulsequeue("up", "--port", port, "--db-port", port).err
