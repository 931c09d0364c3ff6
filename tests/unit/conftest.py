"""The command line over an OpsContext in memory."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.cli.main import main
from scripts.cli.session import Session
from tests.support.fakes import a_stock
from tests.support.ops_context import MemoryOpsContext


@dataclass(frozen=True)
class CliResult:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.out)


class CommandLine:
    """Runs a command line through the same boundary as the program."""

    def __init__(self, ops: MemoryOpsContext, capsys: pytest.CaptureFixture[str]) -> None:
        self.ops = ops
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> CliResult:
        code = main(arguments, Session(opener=lambda _env: self.ops, stdin=io.StringIO(stdin)))
        captured = self._capsys.readouterr()
        return CliResult(code, captured.out, captured.err)


@pytest.fixture
def ops() -> MemoryOpsContext:
    return MemoryOpsContext([a_stock("prod-001", 10), a_stock("prod-002", 5, price=250, currency="EUR")])


@pytest.fixture
def pulsequeue(ops: MemoryOpsContext, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(ops, capsys)


@pytest.fixture
def streams_are_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the captured output and errors claim to be a terminal of 80 columns."""
    capsys.readouterr()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    # In the class: pytest puts other streams in place when the test itself begins.
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda _stream: True)
