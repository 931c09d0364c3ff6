"""The export: what changed since the manifest, written as files, and named by the manifest last."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Protocol

from services.shared.errors import PulseQueueError
from services.warehouse.manifest import ExportedDay, Manifest, Totals
from services.warehouse.source import Snapshot
from services.warehouse.store import (
    FILES,
    ExportStore,
    file_key,
    read_manifest,
    sha256_of,
    write_manifest,
)
from services.warehouse.tables import EXPORTED, ExportedTable

ALWAYS_DAYS: Final = 3
"""The newest days are written by every export."""
CHUNK_ROWS: Final = 500_000
CHUNK_DAYS: Final = 400


class ExportMismatchError(PulseQueueError):
    """What was written is not what the database holds."""


class Files(Protocol):
    """Writes rows as files, and reads them back."""

    def write(self, table: ExportedTable, rows: Path, folder: Path) -> Mapping[date, Path]: ...
    def write_empty(self, table: ExportedTable, folder: Path) -> Path: ...
    def totals(self, table: ExportedTable, paths: Sequence[Path]) -> Mapping[date, Totals]: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export: by default what changed, and the newest days."""

    tables: Sequence[ExportedTable] = EXPORTED
    first: date | None = None
    last: date | None = None

    @property
    def is_range(self) -> bool:
        """Whether days were named: those are written again, changed or not."""
        return self.first is not None or self.last is not None

    def holds(self, day: date) -> bool:
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class ExportedCounts:
    days: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class ExportResult:
    version: str
    tables: Mapping[str, ExportedCounts] = field(default_factory=dict)
    database: Mapping[str, Mapping[date, Totals]] = field(default_factory=dict)
    """The totals of all days in the snapshot, by table."""


class Exporter:
    def __init__(
        self,
        store: ExportStore,
        files: Files,
        scratch: Path,
        progress: Callable[[str], None] = lambda _: None,
        *,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        self._store = store
        self._files = files
        self._scratch = scratch
        self._progress = progress
        self._chunk_rows = chunk_rows

    def run(self, snapshot: Snapshot, selection: Selection) -> ExportResult:
        """Write what is selected; each chunk of days counts as soon as the manifest names it."""
        for stale in self._scratch.glob("export-*"):  # of an export that was killed
            shutil.rmtree(stale)
        counts: dict[str, ExportedCounts] = {}
        database: dict[str, Mapping[date, Totals]] = {}
        for table in selection.tables:
            manifest = read_manifest(self._store, table.name)
            manifest = self._tidy(manifest)
            found = database[table.name] = snapshot.totals(table)
            days = due_days(table, manifest, found, selection)
            written: list[ExportedDay] = []
            for chunk in chunks(days, found, self._chunk_rows):
                written += self._write(snapshot, table, chunk, found)
                manifest = self._publish(manifest, written[-len(chunk) :])
            counts[table.name] = ExportedCounts(
                len(written), sum(it.rows for it in written), sum(it.bytes for it in written)
            )
            if written:
                self._progress(f"{table.name}: {counts[table.name].rows:,} rows of {len(written):,} days")
        return ExportResult(snapshot.version, counts, database)

    def _tidy(self, manifest: Manifest) -> Manifest:
        """Remove files that the manifest does not name, and return it without days whose file is gone.

        Such files are replaced ones, and those of an export that was killed. No other export runs while the
        snapshot is open. Whoever still reads a replaced file had until now.
        """
        there = set(self._store.keys(f"{FILES}/{manifest.table}/"))
        self._store.delete(sorted(there - {day.file for day in manifest.days}))
        return manifest.model_copy(update={"days": tuple(it for it in manifest.days if it.file in there)})

    def _write(
        self,
        snapshot: Snapshot,
        table: ExportedTable,
        days: Sequence[date],
        database: Mapping[date, Totals],
    ) -> Sequence[ExportedDay]:
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="export-") as name:
            folder = Path(name)
            rows = folder / "rows.csv"
            snapshot.copy(table, days, rows)
            paths = dict(self._files.write(table, rows, folder))
            rows.unlink()
            self._require_equal(table, days, database, paths)
            for day in days:
                if day not in paths:
                    paths[day] = self._files.write_empty(table, folder)
            return [
                self._upload(table, snapshot.version, day, paths[day], database.get(day, Totals()))
                for day in days
            ]

    def _require_equal(
        self,
        table: ExportedTable,
        days: Sequence[date],
        database: Mapping[date, Totals],
        paths: Mapping[date, Path],
    ) -> None:
        read_back = self._files.totals(table, list(paths.values()))
        for day in sorted({*days, *read_back}):
            wanted, got = database.get(day, Totals()), read_back.get(day, Totals())
            differences = got.differences(wanted) if day in days else ["day"]
            if differences:
                raise ExportMismatchError(
                    f"{table.name} of {day}: {got.rows} rows were written, the database has {wanted.rows}; "
                    f"different: {', '.join(differences)}. The manifest was not changed."
                )

    def _upload(
        self, table: ExportedTable, version: str, day: date, path: Path, totals: Totals
    ) -> ExportedDay:
        key = file_key(table.name, day, version)
        self._store.upload(key, path)
        return ExportedDay(
            day=day,
            version=version,
            file=key,
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
            shape=table.shape,
            rows=totals.rows,
            sums=totals.sums,
        )

    def _publish(self, manifest: Manifest, written: Sequence[ExportedDay]) -> Manifest:
        older = [it for it in written if self._is_older(manifest, it)]
        if older:
            raise ExportMismatchError(
                f"the manifest of {manifest.table} already has a newer export of {older[0].day}; "
                "is the clock of the database right? Nothing was changed."
            )
        published = manifest.with_days(written)
        write_manifest(self._store, published)
        return published

    @staticmethod
    def _is_older(manifest: Manifest, day: ExportedDay) -> bool:
        known = manifest.by_day.get(day.day)
        return known is not None and known.version >= day.version


def due_days(
    table: ExportedTable, manifest: Manifest, database: Mapping[date, Totals], selection: Selection
) -> Sequence[date]:
    """Return the days to write: the newest, those that changed, and those whose rows are gone.

    A change shows in the sums, one of which is of the moments of the last changes.
    """
    known = manifest.by_day
    selected = sorted(day for day in {*database, *known} if selection.holds(day))
    if selection.is_range:
        return selected
    since = max(database) - timedelta(days=ALWAYS_DAYS - 1) if database else date.max
    return [
        day
        for day in selected
        if day >= since or _changed(table, known.get(day), database.get(day, Totals()))
    ]


def _changed(table: ExportedTable, known: ExportedDay | None, found: Totals) -> bool:
    return known is None or known.shape != table.shape or bool(known.totals.differences(found))


def chunks(
    days: Iterable[date], database: Mapping[date, Totals], rows_at_once: int
) -> Iterator[Sequence[date]]:
    """Yield days that together have about so many rows; one day is never divided."""
    chunk: list[date] = []
    rows = 0
    for day in days:
        more = database.get(day, Totals()).rows
        if chunk and (rows + more > rows_at_once or len(chunk) == CHUNK_DAYS):
            yield chunk
            chunk, rows = [], 0
        chunk.append(day)
        rows += more
    if chunk:
        yield chunk
