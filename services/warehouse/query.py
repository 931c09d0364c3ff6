"""Read-only SQL over the warehouse and the exported files: one statement, and nothing outside of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from services.warehouse import models
from services.warehouse.adapters.duckdb_connection import attach, connect
from services.warehouse.adapters.parquet import parquet
from services.warehouse.models import quoted
from services.warehouse.store import FILES, FolderStore, read_manifest
from services.warehouse.tables import EXPORTED
from services.warehouse.warehouse import Answer, QueryRefusedError

_MEMORY: Final = "1GB"
_READS: Final = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})


class Reader:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, statement: str, *, limit: int | None = None) -> Answer:
        """Run one SELECT; with a limit, return so many rows at most."""
        try:
            statements = self._connection.extract_statements(statement)
            if len(statements) != 1:
                raise QueryRefusedError("give one statement.")
            if statements[0].type not in _READS:
                kind = statements[0].type.name
                raise QueryRefusedError(f"only SELECT is answered, not {kind}: exports change the warehouse.")
            result = self._connection.execute(statements[0])
            names = [column[0] for column in result.description or ()]
            rows = result.fetchall() if limit is None else result.fetchmany(limit)
        except duckdb.Error as error:
            raise QueryRefusedError(_explained(str(error))) from error
        except RuntimeError as interrupted:
            # DuckDB takes Ctrl-C for itself, and raises this.
            raise KeyboardInterrupt from interrupted
        return Answer(names, rows)


@contextmanager
def open_reader(warehouse: Path, export: Path) -> Iterator[Reader]:
    """Open the modeled tables by their names, `raw` as loaded, and `files` as exported."""
    with connect(None, spill=warehouse.with_suffix(".spill"), memory=_MEMORY) as connection:
        attach(connection, warehouse)
        connection.execute("ATTACH ':memory:' AS files")
        store = FolderStore(export)
        for table in EXPORTED:
            days = read_manifest(store, table.name).days
            same = all(day.shape == table.shape for day in days)
            paths = [store.folder / day.file for day in days]
            if paths := [path for path in paths if path.is_file()]:
                rows = parquet(table, paths, same_columns=same)
                connection.execute(f"CREATE VIEW files.{table.name} AS FROM {rows}")
        connection.execute(f"SET search_path = 'warehouse.{models.MODELED}'")
        _lock(connection, export / FILES)
        yield Reader(connection)


def _lock(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Leave nothing of this machine within reach but the exported files."""
    connection.execute(f"SET allowed_directories = [{quoted(f'{folder}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _explained(text: str) -> str:
    first = text.strip().partition("\n")[0]
    if "disabled by configuration" in text:
        return f"only the exported files can be read. ({first})"
    return first
