"""`pulsequeue import orders|subscriptions|ls|rm`: history of an earlier system, from files."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.environment.environment import Environment
    from scripts.ops.imports.mapping import FileMapping, Kind
    from scripts.ops.imports.plan import Plan

_USAGE: Final = 2
_SHOWN_REJECTS: Final = 10
_SHOWN_TEXT: Final = 24

File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file with a header row.")]
Yes = Annotated[bool, typer.Option("--yes", help="Import; without this, only show what would be done.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Which column a field is in; repeatable."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field's value where the file has none; repeatable."),
]
Word = Annotated[
    list[str] | None,
    typer.Option(
        "--word", metavar="TEXT=MEANING", help="What a status or interval means, such as Done=CONFIRMED."
    ),
]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="JSON as --save-mapping writes it.")
]
SaveMapping = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the mapping, for the next file of this kind.")
]
DateOrderOption = Annotated[str | None, typer.Option(metavar="ORDER", help="Order of dates: ymd dmy mdy.")]
Decimal = Annotated[str | None, typer.Option(metavar="MARK", help="Decimal mark: '.' or ','.")]
Encoding = Annotated[
    str | None, typer.Option(metavar="NAME", help="Encoding of the file; default: detected.")
]
Rejects = Annotated[Path | None, typer.Option(metavar="FILE", help="Write all rejected rows as CSV.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Bring in the history of an earlier system.", no_args_is_help=True)
    command(
        group,
        examples=(
            "import orders sales.csv",
            "import orders sales.csv --map order=No --set currency=GBP",
            "import orders june.csv --mapping sales.json --yes",
        ),
    )(orders)
    command(
        group,
        examples=("import subscriptions plans.csv --word P1M=month", "import subscriptions plans.csv --yes"),
    )(subscriptions)
    command(group, examples=("import ls",))(ls)
    command(group, examples=("import rm 3f1c0a9b7d52", "import rm 3f1c0a9b7d52 --yes"))(rm)
    app.add_typer(group, name="import")


def orders(
    session: Session,
    file: File,
    *,
    yes: Yes = False,
    map_: Map = None,
    set_: Set = None,
    word: Word = None,
    mapping: MappingFile = None,
    save_mapping: SaveMapping = None,
    date_order: DateOrderOption = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    rejects: Rejects = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Import orders: one row per line of an order; negative quantities are returns.

    Fields: order, customer, placed_at, sku, quantity, currency, and total (of the line) or unit_price;
    status, region, channel, discount, tax, shipping may be there. Imported orders are never reserved, charged
    or sent. Interrupted, the same command goes on; repeated, it changes nothing.
    """
    given = _given(mapping, map_, set_, word, date_order, decimal)
    _import(session, "orders", file, given, _Options(yes, tenant, encoding, rejects, save_mapping))


def subscriptions(
    session: Session,
    file: File,
    *,
    yes: Yes = False,
    map_: Map = None,
    set_: Set = None,
    word: Word = None,
    mapping: MappingFile = None,
    save_mapping: SaveMapping = None,
    date_order: DateOrderOption = None,
    decimal: Decimal = None,
    encoding: Encoding = None,
    rejects: Rejects = None,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Import subscriptions: one row per subscription, or several if its terms changed.

    Fields: subscription, customer, plan, interval (week, month, quarter, year), amount (of an interval),
    currency, started_at; ended_at may be there. Other currencies than the tenant's need a rate: `db rate`.
    """
    given = _given(mapping, map_, set_, word, date_order, decimal)
    _import(session, "subscriptions", file, given, _Options(yes, tenant, encoding, rejects, save_mapping))


def ls(session: Session, tenant: Tenant = DEFAULT_TENANT) -> None:
    """List the imports of a tenant, newest first."""
    from scripts.ops.imports import sending

    found = sending.imports(_environment(session), tenant)
    rows = [
        (
            it["importId"],
            it["kind"],
            it["fileName"],
            it["state"],
            it["records"],
            it["rejected"],
            it["startedAt"],
        )
        for it in found
    ]
    session.out.show(
        {"imports": found},
        Table(
            ("import", "kind", "file", "state", "rows", "rejected", "started at"),
            rows,
            frozenset({"rows", "rejected"}),
            empty="nothing was imported yet",
            dispensable=("started at", "kind"),
        ),
    )


def rm(
    session: Session,
    import_id: Annotated[str, typer.Argument(metavar="ID", help="The import, as `import ls` lists it.")],
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove; without this, only show what would be.")
    ] = False,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Undo an import: all its rows go, and every sum is as before it."""
    from scripts.ops.imports import sending

    environment = _environment(session)
    found = next((it for it in sending.imports(environment, tenant) if it["importId"] == import_id), None)
    if found is None:
        raise ToolError(f"tenant {tenant!r} has no import {import_id!r}; `pulsequeue import ls` lists them.")
    if not yes:
        session.out.show(found, f"{found['fileName']}: {found['events']} events would be removed.")
        session.out.note("Nothing changed; repeat with --yes to remove them.")
        return
    with session.out.progress("Removed", found["events"]) as advance:
        events = sending.remove(environment, tenant, import_id, advance)
    session.out.show(
        {"importId": import_id, "events": events}, f"Removed {events} events of {found['fileName']}."
    )


class _Options:
    """Options that all kinds of imports share."""

    def __init__(
        self, yes: bool, tenant: str, encoding: str | None, rejects: Path | None, save_mapping: Path | None
    ) -> None:
        self.yes = yes
        self.tenant = tenant
        self.encoding = encoding
        self.rejects = rejects
        self.save_mapping = save_mapping


def _import(session: Session, kind: "Kind", file: Path, given: "FileMapping", options: _Options) -> None:
    from scripts.ops.imports import sending
    from scripts.ops.imports.planning import plan_import
    from scripts.ops.imports.records import open_source

    if not file.is_file():
        raise ToolError(f"{file} is not a file.", exit_code=_USAGE)
    with _refusals(file):
        session.out.note(f"Reading {file.name} ...")
        plan = plan_import(open_source(file, encoding=options.encoding), kind, options.tenant, given)
    if options.save_mapping:
        _write(
            options.save_mapping, given.model_copy(update=dict(plan.mapping)).model_dump_json(indent=2) + "\n"
        )
    if options.rejects:
        _write_rejects(options.rejects, plan)
    if not plan.subjects:
        session.out.show(_data(plan), *_view(plan))
        raise ToolError(f"no row of {file.name} can be imported; the table above says why.")
    if not options.yes:
        session.out.show(_data(plan), *_view(plan))
        session.out.note("Nothing changed; repeat with --yes to import.")
        return
    with session.out.progress("Imported", sum(map(len, plan.subjects))) as advance:
        sent = sending.send(_environment(session), plan, advance)
    session.out.show(
        {**_data(plan), "sent": sent.events, "present": sent.present},
        *_view(plan),
        _outcome(plan, sent.events),
    )


def _outcome(plan: "Plan", events: int) -> str:
    if not events:
        return f"Import {plan.import_id} was complete already; nothing changed."
    return f"Imported as {plan.import_id}; `pulsequeue import rm {plan.import_id}` undoes it."


def _data(plan: "Plan") -> dict[str, Any]:
    return {
        "importId": plan.import_id,
        "kind": plan.kind,
        "mapping": dict(plan.mapping),
        "records": plan.records,
        "loaded": plan.loaded,
        "rejected": len(plan.rejects),
        plan.kind: len(plan.subjects),
        "currencies": {
            currency: {
                "count": it.subjects,
                "amountMinor": it.revenue_minor,
                "returnedMinor": it.refunded_minor,
            }
            for currency, it in sorted(plan.sums.items())
        },
        "firstRejects": [
            {"line": it.line, "column": it.column, "reason": it.reason, "raw": it.raw}
            for it in plan.rejects[:_SHOWN_REJECTS]
        ],
    }


def _view(plan: "Plan") -> Iterator[Table | str]:
    understood = plan.reader.understood
    rows = [(name, column, understood.reasons[name]) for name, column in understood.columns.items()]
    rows += [(name, repr(value), "given") for name, value in plan.reader.mapping.constants.items()]
    yield Table(("field", "column", "because"), rows)
    yield f"Dates are read as {plan.reader.date_order}, the decimal mark is {plan.reader.decimal!r}."
    yield ""
    if plan.rejects:
        yield Table(
            ("line", "column", "reason", "raw"),
            [(it.line, it.column, it.reason, it.raw[:_SHOWN_TEXT]) for it in plan.rejects[:_SHOWN_REJECTS]],
            frozenset({"line"}),
            dispensable=("raw",),
        )
        if len(plan.rejects) > _SHOWN_REJECTS:
            yield f"... and {len(plan.rejects) - _SHOWN_REJECTS:,} more; --rejects FILE writes them all."
        yield ""
    yield _sums(plan)
    yield ""
    yield f"{plan.records:,} rows: {plan.loaded:,} fit, {len(plan.rejects):,} rejected."


def _sums(plan: "Plan") -> Table:
    from scripts.ops.imports.values import amount

    if plan.kind == "orders":
        columns: tuple[str, ...] = ("currency", "orders", "revenue", "returned")
    else:
        columns = ("currency", "subscriptions", "amounts that still run")
    rows = [
        (
            currency,
            it.subjects,
            amount(it.revenue_minor, currency),
            *([amount(it.refunded_minor, currency)] if plan.kind == "orders" else []),
        )
        for currency, it in sorted(plan.sums.items())
    ]
    return Table(columns, rows, frozenset(columns[1:]), empty="no sums")


def _given(  # noqa: PLR0917 - the options of two commands
    path: Path | None,
    columns: Sequence[str] | None,
    constants: Sequence[str] | None,
    words: Sequence[str] | None,
    date_order: str | None,
    decimal: str | None,
) -> "FileMapping":
    from pydantic import ValidationError

    from scripts.ops.imports.mapping import FileMapping

    try:
        saved = FileMapping.model_validate_json(_read(path)) if path else FileMapping()
        flags = FileMapping.model_validate(
            {
                "columns": _pairs("--map", columns),
                "constants": _pairs("--set", constants),
                "words": _pairs("--word", words),
                "date_order": date_order,
                "decimal": decimal,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ToolError(f"the mapping is not valid: {where}: {first['msg']}.", exit_code=_USAGE) from error
    return saved.merged(flags)


def _pairs(option: str, given: Sequence[str] | None) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for text in given or ():
        # The text of a word may hold an equals sign; fields do not.
        name, equals, value = text.rpartition("=") if option == "--word" else text.partition("=")
        if not equals or not name or not value:
            raise ToolError(f"{option} {text}: give it as NAME=VALUE.", exit_code=_USAGE)
        found[name] = value
    return found


@contextmanager
def _refusals(file: Path) -> Iterator[None]:
    from services.datasets.domain import FileRefusedError, RowsLostError

    try:
        yield
    except (FileRefusedError, RowsLostError) as error:
        raise ToolError(f"{file.name}: {error}.") from error


def _write_rejects(path: Path, plan: "Plan") -> None:
    from services.datasets.rejects import inert

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("line", "column", "reason", "raw"))
        for it in plan.rejects:
            writer.writerow((it.line, *map(inert, (it.column, it.reason, it.raw))))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot read {path}: {error.strerror}.", exit_code=_USAGE) from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"cannot write {path}: {error.strerror}.") from error


def _environment(session: Session) -> "Environment":
    from scripts.environment.environment import open_environment

    return open_environment(session.env)
