"""DuckDB as the warehouse: one file, no server and no account."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from services.warehouse import models
from services.warehouse.adapters.duckdb_connection import connect, execute
from services.warehouse.adapters.parquet import parquet
from services.warehouse.manifest import Totals
from services.warehouse.source import totals_of
from services.warehouse.tables import ExportedTable
from services.warehouse.warehouse import DayFile, require_rows

_MEMORY: Final = "1GB"


class DuckDBWarehouse:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def prepare(self) -> None:
        for schema in (models.RAW, models.MODELED):
            execute(self._connection, f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name, columns in models.tables().items():
            execute(self._connection, models.create(name, columns, models.DUCKDB))
            there = {row[0] for row in execute(self._connection, f"DESCRIBE {name}").fetchall()}
            for column in columns:
                if column.name not in there:
                    execute(self._connection, models.add_column(name, column, models.DUCKDB))

    def loaded(self) -> Mapping[tuple[str, date], str]:
        found = execute(self._connection, models.loaded_versions()).fetchall()
        return {(name, day): version for name, day, version in found}

    def load(self, table: ExportedTable, files: Sequence[DayFile], now: datetime) -> None:
        days = [file.day.day for file in files]
        columns = ", ".join(it.name for it in table.stored)
        same = all(file.day.shape == table.shape for file in files)
        rows = parquet(table, [file.path for file in files], same_columns=same)
        with self._transaction():
            execute(self._connection, models.clear_raw(table, days))
            execute(
                self._connection,
                f"INSERT INTO {models.RAW}.{table.name} ({columns}) SELECT {columns} FROM {rows}",
            )
            require_rows(
                table, files, dict(execute(self._connection, models.raw_rows(table, days)).fetchall())
            )
            for statement in models.model(table, days):
                execute(self._connection, statement)
            loaded = {file.day.day: (file.day.version, file.day.rows) for file in files}
            for statement in models.record_loads(table, loaded, now.strftime("%Y-%m-%d %H:%M:%S")):
                execute(self._connection, statement)

    def totals(self, table: ExportedTable) -> Mapping[date, Totals]:
        found = execute(self._connection, models.modeled_totals(table, models.DUCKDB)).fetchall()
        return {row[0]: totals_of(table, row[1:]) for row in found}

    def run(self, statement: str) -> Sequence[tuple[Any, ...]]:
        return execute(self._connection, statement).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()


@contextmanager
def open_duckdb(file: Path, *, memory: str = _MEMORY) -> Iterator[DuckDBWarehouse]:
    """Open the warehouse in this file; only one process can write to it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with connect(file, spill=file.with_suffix(".spill"), memory=memory) as connection:
        yield DuckDBWarehouse(connection)
