"""All printing: a table or JSON on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

_NO_TERMINAL_WIDTH = 10_000
"""Rows for a pipe are never wrapped: readers expect one line per row."""


@dataclass(frozen=True, slots=True)
class Table:
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers: frozenset[str] = frozenset()
    """Right-aligned columns."""
    empty: str = "nothing to show"


class Advance(Protocol):
    def __call__(self, done: int, /) -> object: ...


class Output:
    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

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
        print(_printable(text, keep="\n"), file=sys.stderr)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Advance]:
        """Show a progress bar on standard error if it is a terminal."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(label, total=total)
            yield lambda done: progress.update(task, completed=done)

    def _print(self, console: "Console", part: Table | str) -> None:
        if isinstance(part, str):
            print(_printable(part, keep="\n"))
        elif not part.rows:
            print(part.empty)
        elif console.is_terminal:
            console.print(_rich_table(part))
        else:
            with console.capture() as drawn:
                console.print(_rich_table(part))
            print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def _console() -> "Console":
    from rich.console import Console

    width = None if sys.stdout.isatty() else _NO_TERMINAL_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def _rich_table(table: Table) -> Any:  # noqa: ANN401 - rich's own type would have to be imported for it
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in table.columns:
        drawn.add_column(column, justify="right" if column in table.numbers else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(_printable("" if cell is None else str(cell))) for cell in row))
    return drawn


def _printable(text: str, keep: str = "") -> str:
    """Replace control characters, which must not reach the terminal."""
    return "".join(
        char if char.isprintable() or char in keep else "\N{REPLACEMENT CHARACTER}" for char in text
    )
