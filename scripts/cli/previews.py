"""`pulsequeue previews`: the environments of pull requests, and how they end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Limits, Session, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scripts.deploy.previews import Preview

Days = Annotated[
    float, typer.Option(min=0, metavar="DAYS", help="Days since the last deployment after which one ends.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="List the previews of pull requests, or remove the forgotten ones.", no_args_is_help=True
    )
    command(group, examples=("previews ls",))(ls)
    command(group, examples=("previews expire --days 3 --yes",), limits=Limits(needs_checkout=True))(expire)
    app.add_typer(group, name="previews")


def ls(session: Session) -> None:
    """List the previews that exist, and the days since each was last deployed."""
    from scripts.common.clock import Clock

    now = Clock().now()
    rows = [(it.name, it.deployed_at, it.days_at(now)) for it in _existing()]
    session.out.show(
        [{"name": name, "deployedAt": at.isoformat(), "days": round(days, 1)} for name, at, days in rows],
        Table(
            ("preview", "last deployed", "days"),
            [(name, f"{at:%Y-%m-%d %H:%M}", f"{days:.1f}") for name, at, days in rows],
            numbers=frozenset({"days"}),
        ),
    )


def expire(
    session: Session,
    *,
    days: Days = 3,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove the previews that nobody has deployed to for some days; a push deploys again."""
    from scripts.common.clock import Clock
    from scripts.deploy.commands import InstalledCommands
    from scripts.deploy.previews import remove

    commands, now = InstalledCommands(), Clock().now()
    expired = [it for it in _existing() if it.days_at(now) >= days]
    if expired and not yes:
        names = ", ".join(it.name for it in expired)
        typer.confirm(f"Remove {names} and all data in them?", err=True, abort=True)
    removed = remove(expired, lambda name: commands.run("pulsequeue", "destroy", "--env", name, "--yes"))
    session.out.show(
        {"removed": removed}, ", ".join(removed) + " removed." if removed else "Nothing to remove."
    )


def _existing() -> Sequence[Preview]:
    from scripts.deploy.previews import PREFIX, existing
    from scripts.deploy.release import DeployTarget
    from scripts.environment.environment import open_environment

    target = DeployTarget.of(f"{PREFIX}0", os.environ)
    return existing(open_environment(target.env).client("s3"), target.state_bucket)
