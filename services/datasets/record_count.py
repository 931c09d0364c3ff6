"""The second parser: counts the records of a file on its own, and knows the line of each."""

import csv
from array import array
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from services.datasets.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Records:
    total: int
    split: int
    """Records that are not among the broken ones."""
    lines: "array[int]"
    """The line of each row that was asked for."""


def count_records(starts: Iterator[int], broken: AbstractSet[int], rows: Iterator[int]) -> Records:
    """Count the records that begin in these lines, and find the lines of the given rows.

    Rows are numbered from 1 without the broken ones, and given in their order.
    """
    total = split = 0
    lines = array("Q")
    next_row = next(rows, None)
    for line in starts:
        total += 1
        if line in broken:
            continue
        split += 1
        if split == next_row:
            lines.append(line)
            next_row = next(rows, None)
    return Records(total, split, lines)


def record_lines(path: Path, dialect: Dialect, width: int, lines_before: int) -> Iterator[int]:
    """Yield the line in which each record begins; empty lines are records of a single column only."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = dialect.reader(file, strict=True)
        while True:
            line = lines_before + reader.line_num + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error:
                # A fault of this record: the reader goes on behind it.
                yield line
                continue
            if record or width == 1:
                yield line
