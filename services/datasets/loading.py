"""Loads a file with its recipe: every record becomes a row of Parquet or a line of rejects."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.datasets.dialect import Dialect, header_of
from services.datasets.domain import (
    DATA,
    FIRST_DAY,
    LAST_DAY,
    REJECTS,
    Column,
    FileRefusedError,
    LoadResult,
    Recipe,
    Reject,
    RowsLostError,
)
from services.datasets.encoding import require_text, rewrite
from services.datasets.engine import BrokenRow, Rows, open_rows
from services.datasets.record_count import Records, count_records, record_lines
from services.datasets.rejects import RejectWriter


def load(path: Path, recipe: Recipe, target: Path) -> LoadResult:
    """Write data.parquet and rejects.csv into the folder, both or neither."""
    require_text(path)
    _require_answers(recipe)
    with tempfile.TemporaryDirectory(prefix="pulsequeue-dataset-") as scratch:
        folder = Path(scratch)
        result = _load(path, recipe, folder)
        target.mkdir(parents=True, exist_ok=True)
        for name in (DATA, REJECTS):
            shutil.move(folder / name, target / name)
    return result


def _load(path: Path, recipe: Recipe, folder: Path) -> LoadResult:
    text, rows_only = folder / "text", folder / "rows"
    rewrite(path, text, recipe.encoding)
    dialect = Dialect.of(recipe)
    first = _lines_before_rows(text, dialect, recipe)
    copy_rows(text, rows_only, first)
    text.unlink()
    with open_rows(folder, len(recipe.columns)) as rows:
        rows.read(rows_only, dialect)
        broken = [_Broken(line + first, row) for line, row in _with_lines(rows_only, rows.broken())]
        _require_closed_quotes(broken)
        rows.find_faults(recipe.columns, recipe.time)
        split = rows.count
        starts = record_lines(rows_only, dialect, len(recipe.columns), first)
        records = count_records(starts, {one.line for one in broken}, rows.faulty_rows())
        loaded = rows.write_parquet(recipe.columns, folder / DATA)
        rejected = len(broken) + len(records.lines)
        with RejectWriter(folder / REJECTS) as writer:
            writer.write_all(_rejects(recipe, broken, rows, records))
    _require_all(records, broken=len(broken), split=split, loaded=loaded, rejected=rejected)
    return LoadResult(
        records=records.total, loaded=loaded, rejected=rejected, first_rejects=tuple(writer.first)
    )


@dataclass(frozen=True, slots=True)
class _Broken:
    line: int
    row: BrokenRow


def copy_rows(text: Path, rows_only: Path, lines_before: int) -> None:
    """Copy a rewritten file without the lines before its first row."""
    with text.open("rb") as read, rows_only.open("wb") as write:
        for _ in range(lines_before):
            read.readline()
        shutil.copyfileobj(read, write, 1 << 20)


def _require_answers(recipe: Recipe) -> None:
    open_questions = [f"{column.name} ({column.question})" for column in recipe.columns if column.question]
    if open_questions:
        raise FileRefusedError(
            f"values can be read in two ways in {', '.join(open_questions)}; choose one for each column"
        )


def _lines_before_rows(text: Path, dialect: Dialect, recipe: Recipe) -> int:
    if not recipe.header:
        return recipe.skip_lines
    names, first = header_of(text, dialect, recipe.skip_lines, len(recipe.columns))
    expected = [column.name for column in recipe.columns]
    if names != expected:
        missing = ", ".join(sorted(set(expected) - set(names))[:5])
        new = ", ".join(sorted(set(names) - set(expected))[:5])
        difference = f"missing: {missing or 'none'}; new: {new or 'none'}"
        raise FileRefusedError(
            f"the header is not the one of the recipe ({difference}); inspect the file again"
        )
    return first


def _with_lines(path: Path, broken: Sequence[BrokenRow]) -> Iterator[tuple[int, BrokenRow]]:
    """Yield each broken row with its line in the file of rows: line ends before it are counted."""
    with path.open("rb") as file:
        line, at = 1, 0
        for row in broken:
            start = row.byte + len(row.raw) - len(row.raw.lstrip("\n"))
            while at < start and (chunk := file.read(min(start - at, 1 << 20))):
                line += chunk.count(b"\n")
                at += len(chunk)
            yield line, row


def _require_closed_quotes(broken: Sequence[_Broken]) -> None:
    """Refuse a row that swallowed the lines behind it: they would be rejected unseen."""
    for one in broken:
        if "\n" in one.row.raw.strip("\n"):
            raise FileRefusedError(
                f"a quote opened in line {one.line} is never closed, or closes within a value;"
                " correct it, because rows behind it cannot be told apart"
            )


def _rejects(recipe: Recipe, broken: Sequence[_Broken], rows: Rows, records: Records) -> Iterator[Reject]:
    """Yield all faults in the order of their lines."""
    pending = iter(broken)
    upcoming = next(pending, None)
    lines = iter(records.lines)
    row, line = 0, 0
    for fault in rows.faults():
        if fault.row != row:
            row, line = fault.row, next(lines)
        while upcoming is not None and upcoming.line < line:
            yield _broken_reject(recipe, upcoming)
            upcoming = next(pending, None)
        column = recipe.columns[fault.column]
        expected = column.expected
        if column.name == recipe.time:
            expected += f", from {FIRST_DAY} to {LAST_DAY}"
        yield Reject(
            line=line, column=column.name, reason=_reason(fault.raw, column), expected=expected, raw=fault.raw
        )
    while upcoming is not None:
        yield _broken_reject(recipe, upcoming)
        upcoming = next(pending, None)


def _broken_reject(recipe: Recipe, broken: _Broken) -> Reject:
    expected = f"{len(recipe.columns)} cells" if "cells" in broken.row.reason else "values in closed quotes"
    return Reject(
        line=broken.line,
        column="",
        reason=broken.row.reason,
        expected=expected,
        raw=broken.row.raw.strip("\n"),
    )


def _reason(raw: str, column: Column) -> str:
    if "\0" in raw:
        return "a NUL character"
    # Nothing is a fault only where each row needs a time.
    return f"not {_article(column.type)}" if raw.strip() else "empty"


def _article(type_: str) -> str:
    return f"an {type_}" if type_[0] in "aeiou" else f"a {type_}"


def _require_all(records: Records, *, broken: int, split: int, loaded: int, rejected: int) -> None:
    """Both parsers must have seen the same records, and each must have gone one way."""
    if records.total == broken + split == loaded + rejected and records.split == split:
        return
    raise RowsLostError(
        f"nothing was loaded: one parser counts {records.total:,} records, the other {broken + split:,},"
        f" of which {loaded:,} would be loaded and {rejected:,} rejected;"
        " look for stray quotes, or save the file again from a spreadsheet"
    )
