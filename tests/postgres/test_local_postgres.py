"""PostgreSQL for one machine: where it cannot start, it says why, and leaves nothing behind."""

import socket
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.local import postgres


def test_a_port_that_somebody_else_has_is_named_as_the_reason(tmp_path: Path) -> None:
    with socket.socket() as somebody:
        somebody.bind((postgres.HOST, 0))
        somebody.listen()

        with pytest.raises(ToolError, match=r"could not bind .* Address already in use"):
            postgres.start(tmp_path / "postgres.log", port=somebody.getsockname()[1])

    assert [path.name for path in tmp_path.iterdir()] == ["postgres.log"]
