"""All printing: a table or JSON on standard output, everything else on standard error."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from rich.console import Console

_NO_TERMINAL_WIDTH = 10_000
"""Rows for a pipe are not wrapped unless COLUMNS is set: readers expect one line per row."""
_GAP = 3
"""Between columns."""
_SHORT_TEXT = 20
"""A column as narrow as this is not wrapped: dates, amounts and names stay in one line."""
_NARROWEST_TEXT = 12
"""A wider one is wrapped to no fewer characters."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: frozenset[str] = frozenset()
    """Right-aligned columns."""
    empty: str = "nothing to show"
    dispensable: Sequence[str] = ()
    """Columns that a narrow terminal does without, the least important first."""


class Advance(Protocol):
    def __call__(self, done: int, /) -> object: ...


class Output:
    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    @property
    def is_on_terminal(self) -> bool:
        """Whether notes and what is shown appear one below the other, on one terminal."""
        return not self.as_json and sys.stdout.isatty() and sys.stderr.isatty()

    def show(self, data: object, *view: Table | str) -> None:
        """Print `data` as JSON with --json, or else its view."""
        if self.as_json:
            print(json.dumps(data, indent=2, ensure_ascii=False, default=str))
            return
        console = _console()
        for part in view:
            self._print(console, part)

    def note(self, text: str) -> None:
        """Print a note on standard error."""
        print(prose(_printable(text, keep="\n"), error_width()), file=sys.stderr)

    @contextmanager
    def progress(self, label: str, total: int | None) -> Iterator[Advance]:
        """Show a progress bar on standard error if it is a terminal; a total of None is not known."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        count = TextColumn("{task.completed}") if total is None else MofNCompleteColumn()
        columns = (TextColumn("{task.description}"), BarColumn(), count, TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda done: progress.update(task, completed=done)

    def _print(self, console: "Console", part: Table | str) -> None:
        if isinstance(part, str):
            print(prose(_printable(part, keep="\n"), console.width))
        elif not part.rows:
            print(part.empty)
        elif left_out := _print_table(console, part):
            self.note(f"Left out for lack of width: {', '.join(left_out)}; --json shows all.")


def error_width() -> int | None:
    """Return the width of the terminal that errors and notes go to; None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def prose(text: str, width: int | None) -> str:
    """Wrap lines that begin with a letter or digit; JSON and what is indented keeps its lines."""
    if width is None:
        return text
    return "\n".join(_filled(line, width) if line[:1].isalnum() else line for line in text.split("\n"))


def _console() -> "Console":
    from rich.console import Console

    is_sized = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    width = None if is_sized else _NO_TERMINAL_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def _print_table(console: "Console", table: Table) -> Sequence[str]:
    """Print a table and return the columns that were left out.

    One that is too wide has its texts wrapped, or loses what is dispensable, or else has a line per cell.
    """
    for count in range(len(table.dispensable) + 1):
        left_out = table.dispensable[:count]
        narrower = _without(table, left_out)
        widths = _fitting_widths(narrower, console.width)
        if widths is not None:
            with console.capture() as drawn:
                console.print(_rich_table(narrower, widths))
            print("\n".join(line.rstrip() for line in drawn.get().splitlines()))
            return left_out
    _print_records(table, console.width)
    return ()


def _without(table: Table, left_out: Sequence[str]) -> Table:
    shown = [at for at, column in enumerate(table.columns) if column not in left_out]
    return replace(
        table,
        columns=[table.columns[at] for at in shown],
        rows=[[row[at] for at in shown] for row in table.rows],
    )


def _fitting_widths(table: Table, room: int) -> list[int] | None:
    """Return the widths of the columns, the widest of them wrapped at blanks, if they fit so."""
    cells = [[name, *(_cell(row[at]) for row in table.rows)] for at, name in enumerate(table.columns)]
    widths = [max(map(len, column)) for column in cells]
    narrowest = [
        width
        if width <= _SHORT_TEXT
        else max(_NARROWEST_TEXT, len(column[0]), *(len(word) for cell in column for word in cell.split()))
        for width, column in zip(widths, cells, strict=True)
    ]
    room -= _GAP * (len(widths) - 1)
    if sum(narrowest) > room:
        return None
    while sum(widths) > room:
        widest = max((at for at, width in enumerate(widths) if width > narrowest[at]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _print_records(table: Table, width: int) -> None:
    """Print each row as lines of `column: value`, with a blank line between rows."""
    indent = max(map(len, table.columns)) + 2
    for number, row in enumerate(table.rows):
        if number:
            print()
        for column, cell in zip(table.columns, row, strict=True):
            text = _cell(cell)
            if text:
                label = f"{column}:".ljust(indent)
                print(_filled(text, width, label))


def _filled(text: str, width: int, label: str = "") -> str:
    """Wrap a text after its label, at blanks only: ids and links stay whole."""
    return textwrap.fill(
        text,
        width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _cell(cell: object) -> str:
    return _printable("" if cell is None else str(cell))


def _rich_table(table: Table, widths: Sequence[int]) -> Any:  # noqa: ANN401 - rich's own type would have to be imported for it
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for at, column in enumerate(table.columns):
        justify: Literal["left", "right"] = "right" if column in table.numbers else "left"
        drawn.add_column(column, justify=justify, overflow="fold", width=widths[at])
    for row in table.rows:
        drawn.add_row(*(Text(_cell(cell)) for cell in row))
    return drawn


def _printable(text: str, keep: str = "") -> str:
    """Replace control characters, which must not reach the terminal."""
    return "".join(
        char if char.isprintable() or char in keep else "\N{REPLACEMENT CHARACTER}" for char in text
    )
