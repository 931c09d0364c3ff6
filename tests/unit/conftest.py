"""The command line over a desk in memory."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.cli.main import main
from scripts.cli.session import Session
from tests.support.fakes import a_stock
from tests.support.ops_context import MemoryDesk


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was printed
        return json.loads(self.out)


class CommandLine:
    """Runs a command line through the same boundary as the program."""

    def __init__(self, desk: MemoryDesk, capsys: pytest.CaptureFixture[str]) -> None:
        self.desk = desk
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        code = main(arguments, Session(opener=lambda _env: self.desk, stdin=io.StringIO(stdin)))
        said = self._capsys.readouterr()
        return Ran(code, said.out, said.err)


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk([a_stock("prod-001", 10), a_stock("prod-002", 5, price=250, currency="EUR")])


@pytest.fixture
def pulsequeue(desk: MemoryDesk, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(desk, capsys)
