"""DuckDB: rows of a rewritten file as texts, their types by SQL, and the rows that could not be split."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from services.datasets.column_types import (
    DUCKDB_TYPES,
    misfits,
    parsed,
    profile_query,
    profiles,
    propose,
    trimmed,
)
from services.datasets.dialect import Dialect
from services.datasets.domain import MAX_LINE, Column, FileRefusedError, Guess

_REASONS: Final[Mapping[str, str]] = {
    "MISSING COLUMNS": "too few cells",
    "TOO MANY COLUMNS": "too many cells",
    "UNQUOTED VALUE": "a quote in the wrong place",
    "INVALID ENCODING": "not UTF-8",
}
_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that could not be split into its columns."""

    byte: int
    """Where it begins in the rewritten file."""
    raw: str
    reason: str
    found: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A value of a row that was split, but does not fit the type of its column."""

    row: int
    column: int
    raw: str


class Rows:
    """The rows of a rewritten file, each cell a text."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, width: int) -> None:
        self._connection = connection
        self._cells = [f"c{at}" for at in range(width)]

    @property
    def count(self) -> int:
        return int(self._one("select count(*) from cells")[0])

    def read(self, path: Path, dialect: Dialect) -> None:
        """Read all rows; what cannot be split into columns is kept as broken rows."""
        columns = ", ".join(f"{literal(cell)}: 'VARCHAR'" for cell in self._cells)
        query = (
            "create table cells as select * from read_csv($path, auto_detect = false, header = false, "
            f"columns = {{{columns}}}, delim = $delimiter, quote = $quote, escape = $escape, "
            f"store_rejects = true, null_padding = false, strict_mode = true, max_line_size = {4 * MAX_LINE})"
        )
        parameters = {
            "path": str(path),
            "delimiter": dialect.delimiter,
            "quote": dialect.quote,
            "escape": dialect.escape,
        }
        try:
            self._run(query, parameters)
        except duckdb.Error as error:
            raise FileRefusedError(f"the rows cannot be read: {str(error).splitlines()[0]}") from error

    def broken(self) -> Sequence[BrokenRow]:
        """Return the broken rows in the order of the file."""
        found = self._run(
            "select line_byte_position, any_value(csv_line), any_value(error_type), any_value(error_message)"
            " from reject_errors group by 1 order by 1"
        ).fetchall()
        return [
            BrokenRow(byte, raw, _REASONS.get(str(kind), str(kind).lower()), message)
            for byte, raw, kind, message in found
        ]

    def propose(self, names: Sequence[str]) -> Sequence[tuple[Column, Guess]]:
        """Propose a type for each column, judged by all rows."""
        row = self._one(profile_query(self._cells, "cells"))
        return [
            propose(name, profile) for name, profile in zip(names, profiles(row, len(names)), strict=True)
        ]

    def sample(self, rows: int) -> Sequence[Sequence[str | None]]:
        return self._run(f"select * from cells limit {rows:d}").fetchall()

    def find_faults(self, columns: Sequence[Column], time: str | None = None) -> None:
        """Keep the values that do not fit, by row and column."""
        parts = [
            f"select rowid + 1 as row, {at} as col, coalesce({cell}, '') as raw from cells"
            f" where {misfits(cell, column, is_time=column.name == time)}"
            for at, (cell, column) in enumerate(zip(self._cells, columns, strict=True))
        ]
        self._run(f"create table faults as {' union all '.join(parts)}")

    def faulty_rows(self) -> Iterator[int]:
        """Yield the rows with a fault in their order, numbered from 1 without the broken ones."""
        for (row,) in self._batches("select distinct row from faults order by 1"):
            yield row

    def faults(self) -> Iterator[Fault]:
        """Yield the faults in the order of the rows."""
        for row, column, raw in self._batches("select row, col, raw from faults order by 1, 2"):
            yield Fault(row, column, raw)

    def write_parquet(self, columns: Sequence[Column], target: Path) -> int:
        """Write the rows without a fault, each column in its type; return how many."""
        values = ", ".join(
            f"{parsed(trimmed(cell), column)}::{DUCKDB_TYPES[column.type]} as {identifier(column.name)}"
            for cell, column in zip(self._cells, columns, strict=True)
        )
        copied = self._one(
            f"copy (select {values} from cells where rowid + 1 not in (select row from faults))"
            f" to {literal(str(target))} (format parquet, compression zstd)"
        )
        return int(copied[0])

    def _run(
        self,
        query: str,
        parameters: Mapping[str, str] | None = None,
        *,
        cursor: duckdb.DuckDBPyConnection | None = None,
    ) -> duckdb.DuckDBPyConnection:
        try:
            return (cursor or self._connection).execute(query, parameters)
        except duckdb.Error:
            raise
        except RuntimeError as interrupted:
            # DuckDB takes Ctrl-C for itself, and raises this.
            raise KeyboardInterrupt from interrupted

    def _one(self, query: str) -> Sequence[Any]:
        row = self._run(query).fetchone()
        if row is None:
            raise LookupError(f"no row for {query[:80]}")
        return row

    def _batches(self, query: str) -> Iterator[Sequence[Any]]:
        # A cursor of its own: another query may run before all rows are fetched.
        cursor = self._run(query, cursor=self._connection.cursor())
        while batch := cursor.fetchmany(_BATCH):
            yield from batch


@contextmanager
def open_rows(folder: Path, width: int, *, memory: str = "1GB") -> Iterator[Rows]:
    """Open a database in this folder: more rows than fit into memory go to its disk."""
    settings: dict[str, Any] = {
        # Nothing is downloaded: what is not built in is an error.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": True,
    }
    connection = duckdb.connect(str(folder / "rows.duckdb"), config=settings)
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield Rows(connection, width)
    finally:
        connection.close()


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
