"""Loads into a warehouse what the manifests name and it does not have yet."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

from services.warehouse.manifest import ExportedDay
from services.warehouse.store import ExportStore, MissingFileError, read_manifest, sha256_of
from services.warehouse.tables import EXPORTED, ExportedTable
from services.warehouse.warehouse import DayFile, Warehouse

_BATCH_DAYS: Final = 400
_BATCH_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DamagedDay:
    """A day that a manifest names, and that cannot be loaded."""

    table: str
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class LoadResult:
    days: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    damaged: Sequence[DamagedDay] = ()


class Loader:
    def __init__(
        self,
        store: ExportStore,
        warehouse: Warehouse,
        scratch: Path,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._warehouse = warehouse
        self._scratch = scratch
        self._progress = progress

    def run(self, now: datetime) -> LoadResult:
        """Load every newer day; a file that is missing or damaged stops only its own day."""
        self._warehouse.prepare()
        loaded = self._warehouse.loaded()
        counts: dict[str, int] = {}
        rows = 0
        damaged: list[DamagedDay] = []
        for table in EXPORTED:
            newer = [
                day
                for day in read_manifest(self._store, table.name).days
                if day.version > loaded.get((table.name, day.day), "")
            ]
            for batch in _batches(newer):
                done = self._load(table, batch, damaged, now)
                counts[table.name] = counts.get(table.name, 0) + len(done)
                rows += sum(day.rows for day in done)
            if counts.get(table.name):
                self._progress(f"{table.name}: {counts[table.name]:,} days loaded")
        return LoadResult(counts, rows, damaged)

    def _load(
        self, table: ExportedTable, batch: Sequence[ExportedDay], damaged: list[DamagedDay], now: datetime
    ) -> Sequence[ExportedDay]:
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="load-") as folder:
            files: list[DayFile] = []
            for day in batch:
                try:
                    path = self._store.fetch(day.file, Path(folder))
                except MissingFileError:
                    damaged.append(DamagedDay(table.name, day.day, "its file is missing"))
                    continue
                if sha256_of(path) != day.sha256:
                    damaged.append(DamagedDay(table.name, day.day, "its file is not the one written"))
                    continue
                files.append(DayFile(day, path))
            if files:
                self._warehouse.load(table, files, now)
        return [file.day for file in files]


def _batches(days: Sequence[ExportedDay]) -> Iterator[Sequence[ExportedDay]]:
    batch: list[ExportedDay] = []
    rows = 0
    for day in days:
        if batch and (len(batch) == _BATCH_DAYS or rows + day.rows > _BATCH_ROWS):
            yield batch
            batch, rows = [], 0
        batch.append(day)
        rows += day.rows
    if batch:
        yield batch
