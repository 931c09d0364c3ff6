"""`pulsequeue events`: what may be said on the bus."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

_DOCS = Path(__file__).resolve().parents[2] / "docs" / "events"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The event catalogue and its contracts.", no_args_is_help=True)
    for function in (ls, schema, validate, release):
        command(group)(function)
    app.add_typer(group, name="events")


def ls(session: Session) -> None:
    """List every event: what it says, who emits it, who takes it."""
    from scripts.environment.topology import Topology
    from scripts.ops.contracts.event_catalog import catalogue

    entries = catalogue(Topology.load())
    session.out.show(
        [
            {
                "event": entry.event,
                "says": entry.says,
                "emittedBy": entry.emitted_by,
                "consumedBy": entry.consumed_by,
            }
            for entry in entries
        ],
        Table(
            ("event", "emitted by", "consumed by", "says"),
            [
                (entry.event, ", ".join(entry.emitted_by), ", ".join(entry.consumed_by), entry.says)
                for entry in entries
            ],
        ),
    )


def schema(
    session: Session,
    event: Annotated[str | None, typer.Argument()] = None,
    every: Annotated[bool, typer.Option("--all", help="Every event's.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write one file per event into this folder.")] = None,
) -> None:
    """Print an event's JSON Schema, or write all of them into a folder."""
    from scripts.ops.contracts.event_catalog import model_of
    from scripts.ops.contracts.schemas import render, schemas, write_all

    if every == (event is not None):
        raise ToolError("name one event, or say --all.", exit_code=2)
    if output is not None and not every:
        raise ToolError("--output goes with --all.", exit_code=2)
    if output is not None:
        changed = write_all(output)
        view = "\n".join(f"wrote {path}" for path in changed) or f"{output} is up to date."
        session.out.show({"changed": [str(path) for path in changed]}, view)
        return
    contract = schemas()
    if event is None:
        session.out.show(contract, render(contract).rstrip())
    else:
        chosen = contract[model_of(event).detail_type()]
        session.out.show(chosen, render(chosen).rstrip())


def validate(
    session: Session,
    file: Annotated[
        str, typer.Argument(help="JSON: an event's detail, or its whole envelope; - is standard input.")
    ],
    event: Annotated[str | None, typer.Option(help="Which event it is, when no envelope says so.")] = None,
) -> None:
    """Check an event as its consumer would."""
    from datetime import UTC, datetime

    from scripts.common.json_input import read_json
    from scripts.ops.contracts.event_catalog import validate as check

    name, faults = check(read_json(file, stdin=session.stdin), event, datetime.now(UTC))
    data = {"event": name, "valid": not faults, "faults": faults}
    session.out.show(data, *([] if faults else [f"a valid {name}."]))
    if faults:
        raise ToolError(f"this {name} is not valid:\n  " + "\n  ".join(faults))


def release(
    session: Session,
    folder: Annotated[Path, typer.Option(help="Where the releases are kept.")] = _DOCS / "released",
) -> None:
    """Promise today's contracts to the outside; refused when they break an earlier promise."""
    from scripts.ops.contracts.schema_registry import release as promise
    from scripts.ops.contracts.schemas import schemas

    path = promise(folder, schemas())
    said = f"released as {path}." if path else "nothing changed since the last release."
    session.out.show({"released": str(path) if path else None}, said)
