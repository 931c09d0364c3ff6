"""DuckDB as the writer and reader of the exported files."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from services.warehouse.adapters.duckdb_connection import connect, execute
from services.warehouse.manifest import Totals
from services.warehouse.models import DUCKDB, quoted
from services.warehouse.source import NULL, totals_of
from services.warehouse.tables import DAY, DAY_COLUMN, ExportedTable

_MEMORY: Final = "512MB"


class ParquetFiles:
    """Turns rows as text into a file per day, with bounded memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def write(self, table: ExportedTable, rows: Path, folder: Path) -> Mapping[date, Path]:
        """Write a file for each day that has rows, and return their paths."""
        target = folder / table.name
        target.mkdir(parents=True)
        names = ", ".join(it.name for it in table.stored)
        execute(
            self._connection,
            f"COPY (SELECT {names} FROM {_csv(table, rows)} ORDER BY {DAY}, {', '.join(table.key)})"
            f" TO {quoted(str(target))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({DAY}),"
            " WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE true)",
        )
        return {date.fromisoformat(it.parent.name.partition("=")[2]): it for it in target.rglob("*.parquet")}

    def write_empty(self, table: ExportedTable, folder: Path) -> Path:
        """Write a file without rows, for a day that has none any more."""
        target = folder / f"{table.name}-empty.parquet"
        columns = ", ".join(f"CAST(NULL AS {DUCKDB.types[it.type]}) AS {it.name}" for it in table.stored)
        execute(
            self._connection,
            f"COPY (SELECT {columns} WHERE false) TO {quoted(str(target))} (FORMAT parquet)",
        )
        return target

    def totals(self, table: ExportedTable, paths: Sequence[Path]) -> Mapping[date, Totals]:
        """Read the files back, and add up their days."""
        if not paths:
            return {}
        sums = ", ".join(DUCKDB.sum(column) for column in table.summed)
        found = execute(
            self._connection, f"SELECT {DAY}, count(*), {sums} FROM {parquet(table, paths)} GROUP BY 1"
        )
        return {row[0]: totals_of(table, row[1:]) for row in found.fetchall()}


@contextmanager
def open_parquet(folder: Path, *, memory: str = _MEMORY) -> Iterator[ParquetFiles]:
    """Open a DuckDB without a database of its own; what does not fit into memory goes to the folder."""
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="spill-") as spill,
        connect(None, spill=Path(spill), memory=memory) as connection,
    ):
        yield ParquetFiles(connection)


def parquet(table: ExportedTable, paths: Sequence[Path], *, same_columns: bool = False) -> str:
    """Return the rows of these files; a column that an old file does not have is NULL in its rows.

    Files known to have the table's columns are not opened before they are read.
    """
    files = ", ".join(quoted(str(path)) for path in paths)
    # The empty relation names all columns, for files that were written before one was added.
    columns = ", ".join(f"CAST(NULL AS {DUCKDB.types[it.type]}) AS {it.name}" for it in table.stored)
    union = str(not same_columns).lower()
    return (
        f"(SELECT {columns} WHERE false UNION ALL BY NAME SELECT * FROM"
        f" read_parquet([{files}], union_by_name = {union}, hive_partitioning = false))"
    )


def _csv(table: ExportedTable, rows: Path) -> str:
    columns = ", ".join(f"{it.name}: {quoted(DUCKDB.types[it.type])}" for it in (DAY_COLUMN, *table.columns))
    return (
        f"read_csv({quoted(str(rows))}, auto_detect = false, header = false, delim = ',', quote = '\"',"
        f" escape = '\"', nullstr = {quoted(NULL)}, allow_quoted_nulls = false, columns = {{{columns}}},"
        " max_line_size = 8388608, parallel = false)"
    )
