"""`pulsequeue events`: the event catalogue, its JSON Schemas, and events as they happen."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli import event_tail
from scripts.cli.output import Table
from scripts.cli.session import Limits, Session, command
from scripts.common.errors import ToolError
from scripts.common.project_files import CHECKOUT

_RELEASED = CHECKOUT / "docs" / "events" / "released"


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Follow events; list, validate and release their contracts.", no_args_is_help=True
    )
    command(group, examples=("events ls",))(ls)
    command(group, examples=event_tail.EXAMPLES)(event_tail.tail)
    command(group, examples=("events schema OrderPlaced", "events schema --all --output schemas"))(schema)
    command(group, examples=("events validate event.json", "events validate - --event OrderPlaced"))(validate)
    command(group, examples=("events release",), limits=Limits(needs_checkout=True))(release)
    app.add_typer(group, name="events")


def ls(session: Session) -> None:
    """List every event with its meaning, emitters and consumers."""
    from scripts.environment.topology import Topology
    from scripts.ops.contracts.event_catalog import catalogue

    entries = catalogue(Topology.load())
    session.out.show(
        [
            {
                "event": entry.event,
                "description": entry.description,
                "emittedBy": entry.emitted_by,
                "consumedBy": entry.consumed_by,
            }
            for entry in entries
        ],
        Table(
            ("event", "emitted by", "consumed by", "description"),
            [
                (entry.event, ", ".join(entry.emitted_by), ", ".join(entry.consumed_by), entry.description)
                for entry in entries
            ],
        ),
    )


def schema(
    session: Session,
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="Name of the event.")] = None,
    every: Annotated[bool, typer.Option("--all", help="The schemas of all events.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write one file per event into this folder.")
    ] = None,
) -> None:
    """Print an event's JSON Schema, or write all of them into a folder."""
    from scripts.ops.contracts.event_catalog import model_of
    from scripts.ops.contracts.schemas import render, schemas, write_all

    if every == (event is not None):
        raise ToolError("give one event, or --all.", exit_code=2)
    if output is not None and not every:
        raise ToolError("--output needs --all.", exit_code=2)
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
        str,
        typer.Argument(
            metavar="FILE", help="JSON: the detail or the envelope of an event; - is standard input."
        ),
    ],
    event: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the event, if FILE has no envelope.")
    ] = None,
) -> None:
    """Validate an event as its consumer would."""
    from datetime import UTC, datetime

    from scripts.common.json_input import read_json
    from scripts.ops.contracts.event_catalog import validate as check

    name, faults = check(read_json(file, stdin=session.stdin), event, datetime.now(UTC))
    data = {"event": name, "valid": not faults, "faults": faults}
    session.out.show(data, *([] if faults else [f"valid {name}."]))
    if faults:
        raise ToolError(f"invalid {name}:\n  " + "\n  ".join(faults))


def release(
    session: Session,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the releases.")] = _RELEASED,
) -> None:
    """Release the current contracts; refused if they break an earlier release."""
    from scripts.ops.contracts.schema_registry import release as add_release
    from scripts.ops.contracts.schemas import schemas

    path = add_release(folder, schemas())
    text = f"released as {path}." if path else "nothing changed since the last release."
    session.out.show({"released": str(path) if path else None}, text)
