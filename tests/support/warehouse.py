"""An export and a warehouse in a folder, over the database of a test or without one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from services.warehouse.adapters.duckdb_connection import connect
from services.warehouse.adapters.duckdb_warehouse import DuckDBWarehouse, open_duckdb
from services.warehouse.adapters.parquet import ParquetFiles, open_parquet
from services.warehouse.exporter import Exporter, ExportResult, Selection
from services.warehouse.loader import Loader, LoadResult
from services.warehouse.manifest import ExportedDay, Manifest, Totals
from services.warehouse.reconcile import Reconciliation, reconcile
from services.warehouse.source import open_snapshot
from services.warehouse.store import ExportStore, FolderStore, file_key, sha256_of, write_manifest
from services.warehouse.tables import EXPORTED, ORDERS, ExportedTable

EVERYTHING = Selection()
NOW = datetime(2026, 11, 29, 2, 0, tzinfo=UTC)


@dataclass
class WarehouseBench:
    """The steps of a nightly run, one by one."""

    folder: Path
    connect: Callable[[], psycopg.Connection[tuple[Any, ...]]]

    def __post_init__(self) -> None:
        self.store: ExportStore = FolderStore(self.folder / "export")
        self.file = self.folder / "warehouse.duckdb"

    def export(
        self, selection: Selection = EVERYTHING, *, store: ExportStore | None = None, chunk_rows: int = 1_000
    ) -> ExportResult:
        with (
            closing(self.connect()) as connection,
            open_snapshot(connection) as snapshot,
            self.files() as files,
        ):
            exporter = Exporter(store or self.store, files, self.folder, chunk_rows=chunk_rows)
            return exporter.run(snapshot, selection)

    def load(self) -> LoadResult:
        with open_duckdb(self.file) as warehouse:
            return self.load_into(warehouse)

    def load_into(self, warehouse: DuckDBWarehouse) -> LoadResult:
        return Loader(self.store, warehouse, self.folder).run(NOW)

    def reconcile(self) -> Reconciliation:
        with closing(self.connect()) as connection, open_snapshot(connection) as snapshot:
            database = {table.name: snapshot.totals(table) for table in EXPORTED}
        with open_duckdb(self.file) as warehouse, self.files() as files:
            warehouse.prepare()
            return reconcile(database, self.store, files, warehouse, self.folder)

    def query(self, statement: str) -> Sequence[tuple[Any, ...]]:
        with connect(self.file, spill=self.folder / "spill", memory="200MB") as connection:
            return connection.execute(statement).fetchall()

    @contextmanager
    def files(self) -> Iterator[ParquetFiles]:
        with open_parquet(self.folder) as files:
            yield files


ORDERS_CSV = """\
"2026-01-05","acme","o1","c1","CONFIRMED",\\N,"north","web","card","100","EUR","1",{at},{at},{at},{at},"3",{at},{at}
"2026-01-06","acme","o2","c2","PLACED",\\N,"south","web","card","250","EUR","2",{at},\\N,\\N,\\N,"1",{at},{at}
""".replace("{at}", '"2026-01-05 10:00:00.5"')


def an_export(folder: Path) -> tuple[Path, Path]:
    """Export and load two orders without a database; return the warehouse and the folder of the export."""
    store = FolderStore(folder / "export")
    rows = folder / "rows.csv"
    rows.write_text(ORDERS_CSV)
    with open_parquet(folder) as files, open_duckdb(folder / "warehouse.duckdb") as warehouse:
        paths = files.write(ORDERS, rows, folder / "drafts")
        write_manifest(store, Manifest(table="orders").with_days(exported_days(store, files, ORDERS, paths)))
        Loader(store, warehouse, folder).run(NOW)
    return folder / "warehouse.duckdb", store.folder


def exported_days(
    store: ExportStore,
    files: ParquetFiles,
    table: ExportedTable,
    paths: Mapping[date, Path],
    version: str = "20260107T020000.000000Z",
) -> Sequence[ExportedDay]:
    """Upload files as an export would, and describe them."""
    totals = files.totals(table, list(paths.values()))
    written = []
    for day, path in paths.items():
        key = file_key(table.name, day, version)
        store.upload(key, path)
        written.append(
            ExportedDay(
                day=day,
                version=version,
                file=key,
                bytes=path.stat().st_size,
                sha256=sha256_of(path),
                shape=table.shape,
                rows=totals.get(day, Totals()).rows,
                sums=totals.get(day, Totals()).sums,
            )
        )
    return written
