"""The port of a warehouse: what the loader, the reconciliation and people need of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from services.shared.errors import PulseQueueError, TransientError
from services.warehouse.manifest import ExportedDay, Totals
from services.warehouse.tables import ExportedTable


class WarehouseUnavailableError(TransientError):
    """The warehouse gave no answer; what was exported waits for the next load."""


class LoadMismatchError(PulseQueueError):
    """A warehouse read another number of rows than the manifest names; nothing of that load was kept."""


class QueryRefusedError(PulseQueueError):
    """A query is not a single read, or the warehouse cannot run it."""


@dataclass(frozen=True, slots=True)
class DayFile:
    """A day to load, and a local path of its file."""

    day: ExportedDay
    path: Path


@dataclass(frozen=True, slots=True)
class Answer:
    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


class Warehouse(Protocol):
    def prepare(self) -> None:
        """Create the tables and columns that are missing."""
        ...

    def loaded(self) -> Mapping[tuple[str, date], str]:
        """Return the version of each table and day that is loaded."""
        ...

    def load(self, table: ExportedTable, files: Sequence[DayFile], now: datetime) -> None:
        """Load these days in one transaction: raw rows, then the models made from them."""
        ...

    def totals(self, table: ExportedTable) -> Mapping[date, Totals]:
        """Return rows and sums of every day of the modeled table."""
        ...


def require_rows(table: ExportedTable, files: Sequence[DayFile], found: Mapping[date, int]) -> None:
    """Raise an error unless the warehouse read as many rows of each day as its manifest names."""
    for file in files:
        rows = found.get(file.day.day, 0)
        if rows != file.day.rows:
            raise LoadMismatchError(
                f"{table.name} of {file.day.day}: {rows} rows were read, the manifest names {file.day.rows}. "
                f"Nothing was loaded; export that day again with `pulsequeue export --table {table.name} "
                f"--from {file.day.day} --to {file.day.day}`."
            )
