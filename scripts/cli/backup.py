"""`pulsequeue backup`: what can be restored after a loss, and restoring it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import LOCAL, Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from datetime import datetime

    from scripts.ops.backups.tables import Backup, TableBackups


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="List backups, make one, and restore tables.", no_args_is_help=True)
    command(group, examples=("backup ls --env prod",))(ls)
    command(group, examples=("backup create --env prod",))(create)
    examples = ("backup restore orders --at 2h --env prod", "backup restore orders --yes")
    command(group, examples=examples)(restore)
    app.add_typer(group, name="backup")


def ls(session: Session) -> None:
    """List what tables and database can be restored to."""
    from scripts.environment.environment import open_environment
    from scripts.ops.backups.tables import database_backups

    found = _tables(session).existing()
    if session.env != LOCAL:  # locally it is derived from the archive only
        found += database_backups(open_environment(session.env))
    _show(session, found, "nothing can be restored")


def create(session: Session) -> None:
    """Make a backup of every table, beside point-in-time recovery; it stays until it is deleted."""
    made = _tables(session).create()
    session.ops.operations_log.record("backup create", {}, {"backups": [it.arn for it in made]})
    _show(session, made, "there are no tables")


def restore(
    session: Session,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Short name, such as orders.")],
    *,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="State to restore: 2026-01-31T12:00:00Z, or 2h (ago).")
    ] = None,
    backup: Annotated[
        str | None, typer.Option(metavar="ARN", help="Backup to restore; the newest without --at.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace items that the table has by now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Copy into a table what it has lost: from a time, or from a backup. Other items stay."""
    from scripts.common.times import parse_time

    if at and backup:
        raise ToolError("give --at or --backup, not both.", exit_code=2)
    source = backup or (at and f"the state of {at}") or "the newest backup"
    if not yes:
        typer.confirm(f"Restore {table} of {session.env} from {source}?", err=True, abort=True)
    time: datetime | None = parse_time(at, session.ops.clock.now()) if at else None
    done = _tables(session).restore(
        table, at=time, backup=backup, overwrite=overwrite, progress=session.out.note
    )
    result = {"table": table, "written": done.written, "kept": done.kept}
    session.ops.operations_log.record("backup restore", {"table": table, "from": source}, result)
    session.out.show(
        result,
        f"{done.written} items restored, {done.kept} were there already. "
        f"Then: pulsequeue audit --env {session.env}",
    )


def _tables(session: Session) -> TableBackups:
    from scripts.environment.environment import open_environment
    from scripts.ops.backups.tables import TableBackups

    return TableBackups(open_environment(session.env), session.ops.clock)


def _show(session: Session, found: list[Backup], empty: str) -> None:
    session.out.show(
        [
            {
                "of": it.table,
                "kind": it.kind,
                "from": it.since.isoformat(),
                "to": it.until and it.until.isoformat(),
                "id": it.arn,
            }
            for it in found
        ],
        Table(
            ("of", "kind", "from", "to", "id"),
            [(it.table, it.kind, _text(it.since), _text(it.until), it.arn or "") for it in found],
            empty=empty,
        ),
    )


def _text(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else ""
