"""Compares rows and sums of every table and day: database, files, warehouse."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from services.warehouse.exporter import Files
from services.warehouse.manifest import ExportedDay, Totals
from services.warehouse.store import ExportStore, MissingFileError, read_manifest, sha256_of
from services.warehouse.tables import EXPORTED, ExportedTable
from services.warehouse.warehouse import Warehouse


class DayState(StrEnum):
    EQUAL = "equal"
    TO_EXPORT = "to export"
    """The database has changed since the export."""
    TO_LOAD = "to load"
    """A newer file waits for the next load."""
    FILE_MISSING = "file missing"
    FILE_DIFFERS = "file differs"
    WAREHOUSE_DIFFERS = "warehouse differs"


BROKEN = frozenset({DayState.FILE_MISSING, DayState.FILE_DIFFERS, DayState.WAREHOUSE_DIFFERS})


@dataclass(frozen=True, slots=True)
class ReconciledDay:
    table: str
    day: date
    state: DayState
    database: Totals
    files: Totals
    warehouse: Totals
    differing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    days: Sequence[ReconciledDay]

    @property
    def broken(self) -> Sequence[ReconciledDay]:
        return [day for day in self.days if day.state in BROKEN]

    @property
    def pending(self) -> Sequence[ReconciledDay]:
        return [day for day in self.days if day.state not in BROKEN and day.state != DayState.EQUAL]

    @property
    def holds(self) -> bool:
        """Whether nothing is lost or doubled; what is still to export or to load may differ."""
        return not self.broken


Database = Mapping[str, Mapping[date, Totals]]
"""Totals of all days by table, of one snapshot."""


def reconcile(
    database: Database, store: ExportStore, files: Files, warehouse: Warehouse, scratch: Path
) -> Reconciliation:
    loaded = warehouse.loaded()
    days: list[ReconciledDay] = []
    for table in (it for it in EXPORTED if it.name in database):
        named = read_manifest(store, table.name).by_day
        read_back = _read_back(table, list(named.values()), store, files, scratch)
        in_database, in_warehouse = database[table.name], warehouse.totals(table)
        for day in sorted({*in_database, *named, *in_warehouse}):
            sides = _Sides(
                in_database.get(day, Totals()),
                named.get(day),
                read_back.get(day, Totals()),
                in_warehouse.get(day, Totals()),
                loaded.get((table.name, day)),
            )
            days.append(sides.compared(table.name, day))
    return Reconciliation(days)


@dataclass(frozen=True, slots=True)
class _Sides:
    """What each place says of a table and day."""

    database: Totals
    named: ExportedDay | None
    files: Totals | None
    """None if the file is missing."""
    warehouse: Totals
    loaded: str | None

    def compared(self, table: str, day: date) -> ReconciledDay:
        state, differing = self._state()
        return ReconciledDay(
            table, day, state, self.database, self.files or Totals(), self.warehouse, differing
        )

    def _state(self) -> tuple[DayState, Sequence[str]]:
        if self.named is None:
            state = DayState.WAREHOUSE_DIFFERS if self.warehouse.rows else DayState.TO_EXPORT
            return state, ["rows"]
        if self.files is None:
            return DayState.FILE_MISSING, []
        if differing := self.files.differences(self.named.totals):
            return DayState.FILE_DIFFERS, differing
        return self._against_the_warehouse(self.named, self.files)

    def _against_the_warehouse(self, named: ExportedDay, files: Totals) -> tuple[DayState, Sequence[str]]:
        is_loaded = self.loaded == named.version
        differing = self.warehouse.differences(files)
        if is_loaded and differing:
            return DayState.WAREHOUSE_DIFFERS, differing
        if changed := self.database.differences(named.totals):
            return DayState.TO_EXPORT, changed
        return (DayState.EQUAL, []) if is_loaded else (DayState.TO_LOAD, differing)


def _read_back(
    table: ExportedTable, days: Sequence[ExportedDay], store: ExportStore, files: Files, scratch: Path
) -> Mapping[date, Totals | None]:
    """Return the totals of the files as they are now; None for a file that is missing."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="reconcile-") as folder:
        found: dict[date, Totals | None] = {}
        sound: list[Path] = []
        for day in days:
            try:
                path = store.fetch(day.file, Path(folder))
            except MissingFileError:
                found[day.day] = None
                continue
            # A file that is damaged may not be readable at all.
            found[day.day] = Totals()
            if sha256_of(path) == day.sha256:
                sound.append(path)
        return {**found, **files.totals(table, sound)}
