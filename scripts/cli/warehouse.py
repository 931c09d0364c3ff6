"""`pulsequeue export`, `warehouse` and `sql`: data out of the database, and questions about it."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scripts.cli.output import Table
from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.local.warehouse import RunResult
    from services.warehouse.exporter import Selection
    from services.warehouse.loader import LoadResult
    from services.warehouse.reconcile import ReconciledDay, Reconciliation

_USAGE: Final = 2
_SHOWN_ROWS: Final = 100
_SHOWN_DAYS: Final = 20
_MEGABYTE: Final = 1_000_000


def register(app: typer.Typer) -> None:
    limits = Limits(local_only=True)
    command(
        app,
        examples=("export", "export --table orders --from 2026-01-01 --to 2026-01-31"),
        limits=limits,
    )(export)
    command(
        app,
        examples=(
            'sql "select region, sum(amount_minor) from fct_sales group by 1"',
            'sql "select count(*) from files.orders" --csv',
            'sql "describe orders"',
        ),
        limits=limits,
    )(sql)
    group = typer.Typer(help="Load the warehouse, and compare it with the database.", no_args_is_help=True)
    command(group, examples=("warehouse load",), limits=limits)(load)
    command(group, examples=("warehouse status",), limits=limits)(status)
    command(group, examples=("warehouse reconcile", "warehouse reconcile --json"), limits=limits)(reconcile)
    app.add_typer(group, name="warehouse")


def export(
    session: Session,
    *,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, such as 2026-01-31.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    table: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this table; repeatable.")
    ] = None,
    load: Annotated[bool, typer.Option("--load/--no-load", help="Load the warehouse, too.")] = True,
) -> None:
    """Write what changed as Parquet by table and day, load it into the warehouse, and reconcile.

    Without --from and --to these are the newest three days, and all others that changed since their export.
    """
    from scripts.local import warehouse

    selection = _selection(table or (), first, last)
    with explained():
        result = warehouse.run_export(selection, session.out.note, load=load)
    session.out.show(_run_json(result), *_run_view(result))
    _require_sound(result.load, result.reconciliation)


def load(session: Session) -> None:
    """Load the exported days that the warehouse does not have yet."""
    from scripts.local import warehouse

    with explained():
        result = warehouse.run_load(session.out.note)
    session.out.show(_load_json(result), _load_line(result), *_damaged_view(result))
    _require_sound(result, None)


def status(session: Session) -> None:
    """Show what is exported, and what of it is loaded."""
    from scripts.local import warehouse

    with explained():
        found = warehouse.status()
    rows = [
        (it.table, it.days, it.rows, _size(it.bytes), _moment(it.newest_version), it.days - it.loaded_days)
        for it in found
    ]
    data = [
        {
            "table": it.table,
            "days": it.days,
            "rows": it.rows,
            "bytes": it.bytes,
            "newestVersion": it.newest_version,
            "daysToLoad": it.days - it.loaded_days,
        }
        for it in found
    ]
    columns = ("table", "days", "rows", "MB", "last export", "days to load")
    session.out.show(data, Table(columns, rows, frozenset({"days", "rows", "MB", "days to load"})))


def reconcile(session: Session) -> None:
    """Compare rows and sums of every table and day: database, files, warehouse."""
    from scripts.local import warehouse

    with explained():
        report = warehouse.run_reconcile()
    session.out.show(_report_json(report), *_report_view(report))
    _require_sound(None, report)


def sql(
    session: Session,
    statement: Annotated[str, typer.Argument(metavar="SELECT", help="One statement; - reads it from stdin.")],
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Rows to return; default: 100, all as CSV or JSON.")
    ] = None,
) -> None:
    """Ask the warehouse: orders, order_items, payments, subscriptions, sales_daily, mrr_month, ...

    Amounts are in minor units, times in UTC. `files.orders` reads the exported files, `raw.orders` the rows
    as loaded. Only the warehouse and the exported files can be read, and nothing can be written.
    """
    from scripts.local import warehouse

    text = (session.stdin or sys.stdin).read() if statement == "-" else statement
    is_table = not as_csv and not session.as_json
    most = limit or (_SHOWN_ROWS if is_table else None)
    with explained(), warehouse.reader() as reader:
        answer = reader.query(text, limit=most and most + 1)
    rows = answer.rows[:most] if most else answer.rows
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(answer.columns)
        writer.writerows(rows)
    else:
        data = [dict(zip(answer.columns, map(_json_value, row), strict=True)) for row in rows]
        session.out.show(data, _answer_table(answer.columns, rows))
    if len(answer.rows) > len(rows):
        session.out.note(f"Only the first {len(rows):,} rows are shown; --limit, --csv or --json give more.")


@contextmanager
def explained() -> Iterator[None]:
    from services.shared.errors import PulseQueueError

    try:
        yield
    except PulseQueueError as error:
        raise ToolError(str(error)) from error


def _selection(names: Sequence[str], first: str | None, last: str | None) -> "Selection":
    from services.warehouse.exporter import Selection
    from services.warehouse.tables import BY_NAME, EXPORTED

    unknown = [name for name in names if name not in BY_NAME]
    if unknown:
        raise ToolError(f"--table {unknown[0]}: give one of {', '.join(BY_NAME)}.", exit_code=_USAGE)
    days = _day("--from", first), _day("--to", last)
    if days[0] and days[1] and days[0] > days[1]:
        raise ToolError("--from is after --to; give the earlier day first.", exit_code=_USAGE)
    return Selection([it for it in EXPORTED if not names or it.name in names], *days)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ToolError(f"{option} {text}: give a date such as 2026-01-31.", exit_code=_USAGE) from None


def _require_sound(loaded: "LoadResult | None", report: "Reconciliation | None") -> None:
    if loaded is not None and loaded.damaged:
        days = len(loaded.damaged)
        raise ToolError(f"{days} days were not loaded; `pulsequeue export` writes missing files again.")
    if report is not None and not report.holds:
        raise ToolError(
            f"{len(report.broken)} days do not reconcile; export them again with --table, --from and --to."
        )


def _run_view(result: "RunResult") -> Sequence[Table | str]:
    rows = [
        (name, counts.days, counts.rows, _size(counts.bytes)) for name, counts in result.export.tables.items()
    ]
    numbers = frozenset({"days written", "rows", "MB"})
    view: list[Table | str] = [Table(("table", "days written", "rows", "MB"), rows, numbers)]
    if result.load is not None:
        view += ["", _load_line(result.load), *_damaged_view(result.load)]
    if result.reconciliation is not None:
        view += _report_view(result.reconciliation, details_only=True)
    return view


def _load_line(result: "LoadResult") -> str:
    days = sum(result.days.values())
    return f"Loaded {result.rows:,} rows of {days:,} days." if days else "The warehouse has it all already."


def _damaged_view(result: "LoadResult") -> Sequence[Table | str]:
    if not result.damaged:
        return ()
    return (Table(("table", "day", "not loaded"), [(it.table, it.day, it.reason) for it in result.damaged]),)


def _report_view(report: "Reconciliation", *, details_only: bool = False) -> Sequence[Table | str]:
    view: list[Table | str] = []
    if not details_only:
        view += [_by_table(report), ""]
    off = [*report.broken, *report.pending]
    if off:
        rows = [_difference(day) for day in off[:_SHOWN_DAYS]]
        columns = ("table", "day", "state", "database", "files", "warehouse", "differing")
        numbers = frozenset({"database", "files", "warehouse"})
        view += [Table(columns, rows, numbers, dispensable=("differing",)), ""]
        if len(off) > _SHOWN_DAYS:
            view.append(f"{len(off) - _SHOWN_DAYS:,} more; --json shows all.")
    equal = len(report.days) - len(off)
    view.append(f"{equal:,} of {len(report.days):,} days are equal: database = files = warehouse.")
    return view


def _by_table(report: "Reconciliation") -> Table:
    tables = dict.fromkeys(day.table for day in report.days)
    rows = []
    for name in tables:
        days = [day for day in report.days if day.table == name]
        rows.append(
            (
                name,
                len(days),
                sum(day.database.rows for day in days),
                sum(day.files.rows for day in days),
                sum(day.warehouse.rows for day in days),
                sum(day.state == "equal" for day in days),
            )
        )
    columns = ("table", "days", "rows in database", "in files", "in warehouse", "days equal")
    return Table(columns, rows, frozenset(columns[1:]), empty="Nothing to compare.")


def _difference(day: "ReconciledDay") -> Sequence[object]:
    differing = ", ".join(day.differing)
    return (
        *(day.table, day.day, day.state),
        *(day.database.rows, day.files.rows, day.warehouse.rows, differing),
    )


def _run_json(result: "RunResult") -> Mapping[str, Any]:
    return {
        "version": result.export.version,
        "tables": {
            name: {"days": it.days, "rows": it.rows, "bytes": it.bytes}
            for name, it in result.export.tables.items()
        },
        "load": result.load and _load_json(result.load),
        "reconciliation": result.reconciliation and _report_json(result.reconciliation),
    }


def _load_json(result: "LoadResult") -> Mapping[str, Any]:
    return {
        "days": dict(result.days),
        "rows": result.rows,
        "damaged": [{"table": it.table, "day": it.day, "reason": it.reason} for it in result.damaged],
    }


def _report_json(report: "Reconciliation") -> Mapping[str, Any]:
    return {
        "holds": report.holds,
        "days": len(report.days),
        "differing": [
            {
                "table": day.table,
                "day": day.day,
                "state": day.state,
                "differing": list(day.differing),
                "rows": {
                    "database": day.database.rows,
                    "files": day.files.rows,
                    "warehouse": day.warehouse.rows,
                },
            }
            for day in (*report.broken, *report.pending)
        ],
    }


def _answer_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    numbers = {
        name
        for at, name in enumerate(columns)
        if any(isinstance(row[at], int | float | Decimal) for row in rows)
    }
    return Table(columns, rows, frozenset(numbers), empty="No rows.")


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _size(count: int) -> str:
    return f"{count / _MEGABYTE:.1f}"


def _moment(version: str | None) -> str:
    return (
        ""
        if version is None
        else f"{version[:4]}-{version[4:6]}-{version[6:8]} {version[9:11]}:{version[11:13]}"
    )
