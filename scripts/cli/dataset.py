"""`pulsequeue dataset inspect|convert`: look at CSV files, and turn them into typed columns."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from scripts.cli import dataset_uploads
from scripts.cli.dataset_options import DECIMALS, ORDERS, DateOrders, Decimals, Types, answers
from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from services.datasets.domain import Inspection, LoadResult, Recipe

_SHOWN_ROWS: Final = 5
_SHOWN_COLUMNS: Final = 6
_SHOWN_TEXT: Final = 40
_SHOWN_REJECTS: Final = 10
_USAGE: Final = 2

File = Annotated[Path, typer.Argument(metavar="FILE", help="A text file of rows, such as CSV.")]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding of the file; default: detected.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look at CSV files, and load them as time series.", no_args_is_help=True)
    command(group, examples=("dataset inspect sales.csv", "dataset inspect old.csv --encoding cp1250"))(
        inspect
    )
    command(
        group,
        examples=(
            "dataset convert sales.csv --to sales",
            "dataset convert sales.csv --to sales --date-order day=dmy",
            "dataset convert june.csv --to june --recipe sales/recipe.json",
        ),
    )(convert)
    dataset_uploads.register(group)
    app.add_typer(group, name="dataset")


def inspect(session: Session, file: File, *, encoding: Encoding = None) -> None:
    """Show how a file would be read: every guess with its reason, and the first rows."""
    with _refusals(file):
        found = _inspected(session, file, encoding)
    _show_inspection(session, found)


def convert(
    session: Session,
    file: File,
    *,
    to: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Gets data.parquet, rejects.csv and recipe.json.")
    ],
    recipe: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read as this recipe.json says; no guesses.")
    ] = None,
    date_order: DateOrders = None,
    decimal: Decimals = None,
    type_: Types = None,
    encoding: Encoding = None,
) -> None:
    """Write the rows that fit as Parquet, and those that do not as rejects.csv with line and reason."""
    from services.datasets.domain import REJECTS, ColumnType
    from services.datasets.loading import load

    orders = answers("--date-order", date_order, ORDERS)
    decimals = answers("--decimal", decimal, DECIMALS)
    types = answers("--type", type_, tuple(ColumnType))
    with _refusals(file):
        known = _read_recipe(recipe) if recipe else None
        base = known or _inspected(session, file, encoding).recipe
        chosen = base.answered(orders, decimals, types)
        _require_answers(chosen)
        session.out.note(f"Reading {file.name} ...")
        result = load(file, chosen, to)
    (to / "recipe.json").write_text(chosen.model_dump_json(indent=2) + "\n", encoding="utf-8")
    data = {**result.model_dump(mode="json", by_alias=True), "folder": str(to)}
    session.out.show(data, *_result_view(result, to / REJECTS))
    if result.records and not result.loaded:
        raise ToolError("no record fits the columns; `pulsequeue dataset inspect` shows how they were read.")


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    from services.datasets.domain import FileRefusedError, RowsLostError

    try:
        yield
    except (FileRefusedError, RowsLostError) as error:
        raise ToolError(f"{file.name}: {error}.") from error


def _inspected(session: Session, file: Path, encoding: str | None) -> "Inspection":
    from services.datasets.inspection import inspect as look_at

    session.out.note(f"Looking at {file.name} ...")
    return look_at(file, encoding=encoding)


def _read_recipe(path: Path) -> "Recipe":
    from services.datasets.domain import Recipe

    return Recipe.model_validate_json(path.read_text(encoding="utf-8"))


def _require_answers(recipe: "Recipe") -> None:
    options = [
        f"--{column.question} '{column.name}={'dmy' if column.question == 'date-order' else '.'}'"
        for column in recipe.columns
        if column.question
    ]
    if options:
        raise ToolError(
            "values can be read in two ways, and none of them decides. `dataset inspect` shows them;"
            f" then repeat with {' '.join(options)}, or the other reading.",
            exit_code=_USAGE,
        )


def _show_inspection(session: Session, found: "Inspection") -> None:
    guesses = [(guess.subject, guess.value, guess.reason) for guess in found.guesses]
    names = [column.name for column in found.recipe.columns]
    sample = [
        [(cell or "").replace("\n", " ")[:_SHOWN_TEXT] for cell in row[:_SHOWN_COLUMNS]]
        for row in found.sample[:_SHOWN_ROWS]
    ]
    questions = [f"{column.name} (--{column.question})" for column in found.questions]
    session.out.show(
        found.model_dump(mode="json"),
        Table(("what", "guess", "because"), guesses),
        "",
        Table(names[:_SHOWN_COLUMNS], sample, empty="There are no rows."),
        *(["", f"To decide when converting: {', '.join(questions)}."] if questions else []),
    )


def _result_view(result: "LoadResult", rejects: Path) -> Sequence[Table | str]:
    summary = f"{result.records:,} records: {result.loaded:,} loaded, {result.rejected:,} rejected."
    if not result.rejected:
        return (summary,)
    rows = [
        (one.line, one.column, one.reason, one.expected, one.raw.replace("\n", " ")[:_SHOWN_TEXT])
        for one in result.first_rejects[:_SHOWN_REJECTS]
    ]
    table = Table(
        ("line", "column", "reason", "expected", "raw"), rows, frozenset({"line"}), dispensable=("expected",)
    )
    return table, "", summary, f"All faults are in {rejects}."
