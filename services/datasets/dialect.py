"""Decides delimiter, quotes, the lines before the table, and its header."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import clevercsv
from clevercsv.detect import Detector

from services.datasets.domain import MAX_COLUMNS, FileRefusedError, Guess, Recipe

if TYPE_CHECKING:
    from _csv import Reader

_DELIMITERS: Final = (",", ";", "\t", "|")
_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SAMPLE: Final = 8_000
"""Characters: the detector's time grows with more, its answers do not change."""
_RECORDS: Final = 200
_PREAMBLE: Final = 20
"""Lines of titles above a table, at most."""
_VALUE: Final = re.compile(
    r"[-+(]?[€$£]?\s?[\d.,]+%?\)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|true|false", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Dialect:
    delimiter: str
    quote: str = '"'
    escape: str = '"'

    def reader(self, lines: Iterator[str], *, strict: bool = False) -> "Reader":
        doubled = self.escape == self.quote
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            escapechar=None if doubled else self.escape,
            doublequote=doubled,
            skipinitialspace=self.delimiter != " ",
            strict=strict,
        )

    @classmethod
    def of(cls, recipe: Recipe) -> "Dialect":
        return cls(recipe.delimiter, recipe.quote, recipe.escape)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows begin, and what their columns are called."""

    skip_lines: int
    header: bool
    names: Sequence[str]
    guesses: Sequence[Guess]


def detect_dialect(path: Path) -> tuple[Dialect, Guess]:
    """Return the dialect of a rewritten file."""
    sample = _sample(path)
    try:
        found = Detector().detect(sample, delimiters=list(_DELIMITERS))
    except clevercsv.Error:
        found = None
    if found is None or found.delimiter not in _DELIMITERS:
        counts = Counter(char for char in sample if char in _DELIMITERS)
        if counts:
            delimiter, times = counts.most_common(1)[0]
            reason = f"no form fits all lines; this is the most frequent mark ({times} times)"
            return Dialect(delimiter), _delimiter_guess(delimiter, reason)
        return Dialect(","), _delimiter_guess(",", "no line holds a delimiter: one column")
    quote = found.quotechar or '"'
    escape = found.escapechar or quote
    return Dialect(found.delimiter, quote, escape), _delimiter_guess(
        found.delimiter, "the lines are most regular with it"
    )


def _delimiter_guess(delimiter: str, reason: str) -> Guess:
    return Guess(subject="delimiter", value=_NAMES[delimiter], reason=reason)


def _sample(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read(_SAMPLE)
    whole, end, _ = text.rpartition("\n")
    # The detector takes no NUL; cells that hold one are rejected later.
    return ((whole + end).lstrip("\n") or text).replace("\0", " ")


def detect_layout(path: Path, dialect: Dialect) -> Layout:
    """Find the first row of the table: titles above it have fewer cells."""
    with path.open(encoding="utf-8", newline="") as file:
        starts, records = _first_records(dialect, file)
    width = _width(records)
    if width > MAX_COLUMNS:
        raise FileRefusedError(
            f"the file has {width:,} columns, over the limit of {MAX_COLUMNS}; leave some out"
        )
    first = next((at for at, record in enumerate(records[:_PREAMBLE]) if not _is_title(record, width)), 0)
    guesses = []
    if first:
        reason = f"titles: most lines have {width} cells"
        guesses.append(Guess(subject="lines skipped", value=str(starts[first]), reason=reason))
    why_not = _why_no_header(records[first])
    missing = [""] * (width - len(records[first]))
    names = _unique([""] * width if why_not else [*records[first], *missing])
    reason = why_not or "the first row holds texts only"
    guesses.append(Guess(subject="header", value="no" if why_not else "yes", reason=reason))
    return Layout(starts[first], not why_not, names, guesses)


def header_of(path: Path, dialect: Dialect, skip_lines: int, width: int) -> tuple[Sequence[str], int]:
    """Return the names in the header of a rewritten file, and the number of lines up to its end."""
    with path.open(encoding="utf-8", newline="") as file:
        for _ in range(skip_lines):
            file.readline()
        reader = dialect.reader(file)
        record = next((record for record in reader if record), [])
        return _unique([*record, *[""] * (width - len(record))]), skip_lines + reader.line_num


def _first_records(dialect: Dialect, lines: Iterator[str]) -> tuple[Sequence[int], Sequence[Sequence[str]]]:
    """Return the first records, and how many lines stand before each."""
    starts: list[int] = []
    records: list[Sequence[str]] = []
    reader = dialect.reader(lines)
    before = 0
    try:
        for record in islice(reader, _RECORDS):
            if record:
                starts.append(before)
                records.append(record)
            before = reader.line_num
    except csv.Error as error:
        raise FileRefusedError(
            f"no table can be read from line {before + 1} on ({error}); look for a quote that is not closed"
        ) from error
    if not records:
        raise FileRefusedError("the file is empty; nothing can be loaded from it")
    return starts, records


def _width(records: Sequence[Sequence[str]]) -> int:
    """Return the most frequent number of cells; of equally frequent ones the first."""
    return Counter(map(len, records)).most_common(1)[0][0]


def _is_title(record: Sequence[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in record)
    return filled * 2 <= width and (len(record) < width or width > 2 * max(filled, 1))


def _why_no_header(record: Sequence[str]) -> str | None:
    cells = [cell.strip() for cell in record]
    if value := next((cell for cell in cells if _VALUE.fullmatch(cell)), None):
        return f"the first row holds a value ({value[:20]})"
    if not any(cells):
        return "the first row is empty"
    return None


def _unique(record: Sequence[str]) -> Sequence[str]:
    """Name columns without a name by their place, and count names that come again."""
    names: list[str] = []
    for at, cell in enumerate(record, start=1):
        name = base = " ".join(cell.replace("\0", "").split()) or f"column_{at}"
        again = 2
        while name in names:
            name, again = f"{base}_{again}", again + 1
        names.append(name)
    return names
