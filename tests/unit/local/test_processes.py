"""Processes and the stack are stopped: exactly what was started, with its children."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scripts.common.errors import ToolError
from scripts.environment.local_state import ProcessRecord, StackState, make_home, state_file
from scripts.local import processes, stack, stack_status
from scripts.local.aws import emulator
from scripts.local.stack import StackOptions

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).wait()"

Start = Callable[[str], ProcessRecord]


def wait_for(log: Path, deadline: float = 10.0) -> None:
    end = time.monotonic() + deadline
    while "ready" not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < end, "the process did not get ready"
        time.sleep(0.01)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    records: list[ProcessRecord] = []

    def started(code: str) -> ProcessRecord:
        log = tmp_path / f"{len(records)}.log"
        records.append(processes.start("test", [sys.executable, "-c", code], {}, log))
        wait_for(log)
        return records[-1]

    yield started
    processes.stop(records, timeout=0.1)


def state_of(*records: ProcessRecord, scratch: Path) -> StackState:
    return StackState(
        env="local",
        aws_endpoint="http://127.0.0.1:9",
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        processes=records,
        scratch=str(scratch),
        logs={},
        started_at="2026-01-31T12:00:00Z",
    )


def test_a_started_process_is_found_and_stopped(start: Start) -> None:
    record = start(SLEEPER)
    assert processes.find(record) is not None

    processes.stop([record])

    assert processes.find(record) is None


def test_a_process_has_its_own_session_so_that_ctrl_c_does_not_reach_it(start: Start) -> None:
    record = start(SLEEPER)

    assert os.getsid(record.pid) == record.pid


def test_a_process_that_ignores_sigterm_is_killed(start: Start) -> None:
    record = start(IGNORES_SIGTERM)

    processes.stop([record], timeout=0.2)

    assert processes.find(record) is None


def test_children_go_with_their_parent(start: Start) -> None:
    record = start(PARENT)
    children = psutil.Process(record.pid).children()
    assert children

    processes.stop([record])

    assert not [child for child in children if child.is_running()]


def test_another_process_with_the_same_pid_is_not_stopped(start: Start) -> None:
    other = start(SLEEPER)
    stale = other.model_copy(update={"created_at": other.created_at - 3_600})

    processes.stop([stale])

    assert processes.find(stale) is None
    assert processes.find(other) is not None


def test_down_does_not_stop_a_process_with_a_reused_pid(start: Start, tmp_path: Path) -> None:
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    make_home(home)
    scratch.mkdir()
    other = start(SLEEPER)
    stale = other.model_copy(update={"name": "emulator", "created_at": other.created_at - 3_600})
    state_of(stale, scratch=scratch).write(home)

    assert stack.down(home=home) is False

    assert processes.find(other) is not None
    assert not state_file(home).exists()
    assert not scratch.exists()


def test_down_without_a_stack_says_so_and_makes_no_folder(tmp_path: Path) -> None:
    assert stack.down(home=tmp_path / "none") is False
    assert not (tmp_path / "none").exists()


def test_the_state_is_private_and_is_read_as_it_was_written(start: Start, tmp_path: Path) -> None:
    make_home(tmp_path / "home")
    state = state_of(start(SLEEPER), scratch=tmp_path / "scratch")

    state.write(tmp_path / "home")

    assert StackState.read(tmp_path / "home") == state
    assert state_file(tmp_path / "home").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "{}", '{"env": 3}'])
def test_an_unreadable_state_is_no_state(tmp_path: Path, content: str) -> None:
    state_file(tmp_path).write_text(content, encoding="utf-8")

    assert StackState.read(tmp_path) is None
    assert not stack_status.status(home=tmp_path).healthy


def test_a_taken_port_is_named_with_the_option_that_changes_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((emulator.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ToolError, match=rf"port {port} .*taken.*--port"):
            stack.up(StackOptions(port=port), home=tmp_path)

    assert not state_file(tmp_path).exists()


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ToolError, match=r"state folder .* cannot be written to.*PULSEQUEUE_HOME"):
        stack.up(StackOptions(), home=tmp_path / "file" / "home")
