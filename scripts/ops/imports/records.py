"""The records of a file, with the line of each; two parsers must count the same (docs/adr/0023)."""

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.datasets.dialect import Dialect, header_of
from services.datasets.domain import ColumnType, FileRefusedError, LoadResult, Recipe, RowsLostError
from services.datasets.encoding import rewrite
from services.datasets.inspection import inspect
from services.datasets.loading import load

_REJECTS: Final = "rejects.csv"


@dataclass(frozen=True, slots=True)
class Record:
    line: int
    cells: Mapping[str, str]
    """By column, without blanks around; what is empty is left out."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    line: int
    column: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that both parsers have read whole."""

    path: Path
    recipe: Recipe
    """As guessed: types, order of dates, decimal marks."""
    total: int
    broken: Sequence[RejectedRecord]
    """What cannot be split into its columns."""

    @property
    def headers(self) -> Sequence[str]:
        return [column.name for column in self.recipe.columns]

    def records(self) -> Iterator[Record]:
        """Yield the records that can be split, in the order of the file."""
        broken = {one.line for one in self.broken}
        count = 0
        with tempfile.TemporaryDirectory(prefix="pulsequeue-import-") as scratch:
            text = Path(scratch) / "text"
            rewrite(self.path, text, self.recipe.encoding)
            for line, cells in _split(text, self.recipe, broken):
                count += 1
                named = zip(self.headers, (cell.strip() for cell in cells), strict=True)
                yield Record(line, {name: cell for name, cell in named if cell})
        if count + len(broken) != self.total:
            raise RowsLostError(
                f"one parser counts {self.total:,} records, the other {count + len(broken):,};"
                " look for stray quotes, or save the file again from a spreadsheet"
            )


def open_source(path: Path, *, encoding: str | None = None) -> SourceFile:
    """Inspect a file, and count its records with a parser other than the one that reads them."""
    recipe = inspect(path, encoding=encoding).recipe
    if not recipe.header:
        raise FileRefusedError("its first row holds no names of columns; add one with a name for each column")
    texts = recipe.answered({}, {}, {column.name: ColumnType.TEXT for column in recipe.columns})
    with tempfile.TemporaryDirectory(prefix="pulsequeue-import-") as scratch:
        result = load(path, texts, Path(scratch))
        broken = _broken(Path(scratch) / _REJECTS, result)
    return SourceFile(path, recipe, result.records, broken)


def _broken(path: Path, result: LoadResult) -> Sequence[RejectedRecord]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        found = {
            int(row["line"]): RejectedRecord(int(row["line"]), row["column"], row["reason"], row["raw"])
            for row in csv.DictReader(file)
        }
    if len(found) != result.rejected:
        raise RowsLostError(f"{result.rejected:,} records are rejected, but {len(found):,} are listed")
    return list(found.values())


def _split(text: Path, recipe: Recipe, broken: AbstractSet[int]) -> Iterator[tuple[int, list[str]]]:
    width, dialect = len(recipe.columns), Dialect.of(recipe)
    first = header_of(text, dialect, recipe.skip_lines, width)[1]
    with text.open(encoding="utf-8", newline="") as file:
        for _ in range(first):
            file.readline()
        reader = dialect.reader(file)
        while True:
            line = first + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                continue  # among the broken ones; the count at the end holds this
            if line not in broken and (cells or width == 1):
                yield line, cells
