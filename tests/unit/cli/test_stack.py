"""`pulsequeue up`, `down`, `reset` and `status` without a running stack."""

import socket
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from scripts.common.errors import ToolError
from scripts.environment.local_state import HOME_VARIABLE, ProcessRecord, StackState, make_home
from scripts.local import sample_orders, stack, stack_data
from scripts.local.aws import emulator
from scripts.local.console import ConsoleBuild
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


INTERRUPTED = "pulsequeue: interrupted: "


def _interrupt(*_given: object, **_options: object) -> NoReturn:
    raise KeyboardInterrupt


def test_an_interrupted_start_says_that_nothing_runs_and_raises_no_alarm_later(
    pulsequeue: CommandLine, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emulator, "start", _interrupt)

    for _ in range(2):
        ran = pulsequeue("up", "--port", str(emulator.free_port()))

        assert ran.code == 130
        assert ran.err.splitlines() == [
            "Starting the AWS emulator ...",
            "Stopping what was started ...",
            f"{INTERRUPTED}what was started is stopped again; `make up` starts it over the same data.",
        ]
        data = stack_data.open_data(home)
        assert (data.is_running, data.lost_since) == (False, None)
    stack_data.reset(home)


def _state(home: Path, *names: str) -> StackState:
    """Make a state whose processes are all this one."""
    me = psutil.Process()
    state = StackState(
        env="local",
        aws_endpoint="http://127.0.0.1:4599",
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        processes=tuple(ProcessRecord(name=name, pid=me.pid, created_at=me.create_time()) for name in names),
        scratch="/nowhere",
        logs={},
        started_at="2026-11-28T20:00:00Z",
    )
    make_home(home)
    state.write(home)
    return state


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (stack.PROCESSES, "the local stack runs at http://127.0.0.1:4599, with some of its sample orders; "),
        (stack.PROCESSES[:1], "the local stack at http://127.0.0.1:4599 is incomplete; `make up` completes"),
    ],
)
def test_an_interrupt_says_what_runs_and_how_to_go_on(
    pulsequeue: CommandLine,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...],
    hint: str,
) -> None:
    state = _state(home, *names)
    monkeypatch.setattr(stack, "up", lambda *_given, **_options: state)
    monkeypatch.setattr(ConsoleBuild, "publish", lambda *_given: None)
    monkeypatch.setattr(sample_orders, "has_orders", _interrupt)

    ran = pulsequeue("up")

    assert ran.code == 130
    assert INTERRUPTED + hint in ran.err
    assert ran.err.endswith("`make down` stops it.\n")
