"""rejects.csv: one line per fault, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from services.datasets.domain import Reject

_FIRST: Final = 100
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MAX_RAW: Final = 2_000


class RejectWriter:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")  # spreadsheets need the mark
        self._writer = csv.writer(self._file)
        self._writer.writerow(("line", "column", "reason", "expected", "raw"))
        self.first: list[Reject] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def write_all(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            if len(self.first) < _FIRST:
                self.first.append(reject)
            raw = reject.raw[:_MAX_RAW]
            cells = (reject.column, reject.reason, reject.expected, raw)
            self._writer.writerow((reject.line, *map(inert, cells)))


def inert(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula."""
    visible = cell.replace("\0", "\N{SYMBOL FOR NULL}")
    return f"'{visible}" if visible.startswith(_FORMULA) else visible
