"""The local stack's export and warehouse: files and a DuckDB, beside the stack's other data."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import make_conninfo

from scripts.common.errors import ToolError
from scripts.environment.local_state import StackState, home_folder
from scripts.local import stack_data
from services.shared.database import OWNER
from services.warehouse.adapters.duckdb_warehouse import DuckDBWarehouse, open_duckdb
from services.warehouse.adapters.parquet import open_parquet
from services.warehouse.exporter import Exporter, ExportResult, Selection
from services.warehouse.loader import Loader, LoadResult
from services.warehouse.query import Reader, open_reader
from services.warehouse.reconcile import Reconciliation, reconcile
from services.warehouse.source import open_snapshot
from services.warehouse.store import FolderStore, read_manifest
from services.warehouse.tables import EXPORTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of the export and the warehouse of one home."""

    folder: Path

    @property
    def export(self) -> Path:
        return self.folder / "export"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.export)


@dataclass(frozen=True, slots=True)
class RunResult:
    """An export, what of it was loaded, and how the three sides compare."""

    export: ExportResult
    load: LoadResult | None
    reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True)
class TableStatus:
    table: str
    days: int
    rows: int
    bytes: int
    newest_version: str | None
    loaded_days: int


def place(home: Path | None = None) -> Place:
    folder = stack_data.folder(home or home_folder()) / "warehouse"
    found = Place(folder)
    found.scratch.mkdir(parents=True, exist_ok=True)
    return found


def run_export(
    selection: Selection, progress: Callable[[str], None], *, load: bool = True, home: Path | None = None
) -> RunResult:
    """Export, load what is new, and reconcile with the snapshot that was exported."""
    at = place(home)
    with (
        _database(home) as connection,
        open_snapshot(connection) as snapshot,
        open_parquet(at.scratch) as files,
    ):
        exported = Exporter(at.store, files, at.scratch, progress).run(snapshot, selection)
    if not load:
        return RunResult(exported, None, None)
    with open_duckdb(at.warehouse) as warehouse, open_parquet(at.scratch) as files:
        loaded = Loader(at.store, warehouse, at.scratch, progress).run(datetime.now(UTC))
        report = reconcile(exported.database, at.store, files, warehouse, at.scratch)
    return RunResult(exported, loaded, report)


def run_load(progress: Callable[[str], None]) -> LoadResult:
    at = place()
    with open_duckdb(at.warehouse) as warehouse:
        return Loader(at.store, warehouse, at.scratch, progress).run(datetime.now(UTC))


def run_reconcile() -> Reconciliation:
    """Compare the database as it is now with the files and the warehouse."""
    at = place()
    with _database() as connection, open_snapshot(connection) as snapshot:
        database = {table.name: snapshot.totals(table) for table in EXPORTED}
    with open_duckdb(at.warehouse) as warehouse, open_parquet(at.scratch) as files:
        warehouse.prepare()
        return reconcile(database, at.store, files, warehouse, at.scratch)


def status() -> list[TableStatus]:
    at = place()
    loaded: Mapping[tuple[str, Any], str] = {}
    if at.warehouse.exists():
        with open_duckdb(at.warehouse) as warehouse:
            warehouse.prepare()
            loaded = warehouse.loaded()
    found = []
    for table in EXPORTED:
        days = read_manifest(at.store, table.name).days
        found.append(
            TableStatus(
                table.name,
                len(days),
                sum(day.rows for day in days),
                sum(day.bytes for day in days),
                max((day.version for day in days), default=None),
                sum(loaded.get((table.name, day.day)) == day.version for day in days),
            )
        )
    return found


@contextmanager
def reader() -> Iterator[Reader]:
    at = place()
    if not at.warehouse.exists():
        raise ToolError("nothing was exported yet; run `pulsequeue export`.")
    with open_reader(at.warehouse, at.export) as opened:
        yield opened


@contextmanager
def writer() -> Iterator[DuckDBWarehouse]:
    with open_duckdb(place().warehouse) as warehouse:
        warehouse.prepare()
        yield warehouse


@contextmanager
def _database(home: Path | None = None) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    state = StackState.read(home or home_folder())
    if state is None or state.postgres is None:
        raise ToolError("the local stack is not running; start it with `make up`.")
    try:
        connection = psycopg.connect(
            make_conninfo(state.postgres, user=OWNER),
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=5,
        )
    except psycopg.OperationalError as error:
        raise ToolError("PostgreSQL of the local stack does not answer; start it with `make up`.") from error
    with closing(connection):
        yield connection
