"""The embedded PostgreSQL: when it cannot start, it reports why and cleans up."""

import socket
from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.local import postgres


def test_a_taken_port_is_named_with_the_option_that_changes_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((postgres.HOST, 0))
        other.listen()

        with pytest.raises(
            ToolError, match=r"port \d+ on 127\.0\.0\.1 is taken by another program; .*--db-port"
        ):
            postgres.start(tmp_path / "postgres.log", port=other.getsockname()[1])

    assert list(tmp_path.iterdir()) == []
