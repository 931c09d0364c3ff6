"""Connections to DuckDB: nothing is downloaded, memory is bounded, Ctrl-C interrupts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from services.warehouse.models import quoted
from services.warehouse.warehouse import WarehouseUnavailableError


@contextmanager
def connect(file: Path | None, *, spill: Path, memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to the database in a file, or to an empty one in memory."""
    with _unavailable(file):
        connection = duckdb.connect(str(file or ":memory:"), config=_settings(memory, spill))
    try:
        yield connection
    finally:
        connection.close()


def attach(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Attach a warehouse to read from, as `warehouse`."""
    with _unavailable(file):
        connection.execute(f"ATTACH {quoted(str(file))} AS warehouse (READ_ONLY)")


@contextmanager
def _unavailable(file: Path | None) -> Iterator[None]:
    try:
        yield
    except duckdb.IOException as error:
        raise WarehouseUnavailableError(
            f"the warehouse {file} cannot be opened: another command may be loading it. "
            f"Try again in a moment. ({str(error).splitlines()[0]})"
        ) from error


def execute(connection: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyConnection:
    try:
        return connection.execute(statement)
    except duckdb.Error:
        raise
    except RuntimeError as interrupted:
        # DuckDB takes Ctrl-C for itself, and raises this.
        raise KeyboardInterrupt from interrupted


def _settings(memory: str, spill: Path) -> dict[str, Any]:
    return {
        # Nothing is downloaded: what is not built in is an error.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory,
        "temp_directory": str(spill),
        # One file per day, and no second copy of the buffers.
        "threads": 1,
    }
