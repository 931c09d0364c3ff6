"""`pulsequeue verify`: says whether what is deployed works, or else which link of the chain does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError
from scripts.common.subprocesses import terminate_as_interrupt

if TYPE_CHECKING:
    from scripts.verify.checks import Finding, Report
    from scripts.verify.endpoints import User


def register(app: typer.Typer) -> None:
    command(app)(verify)


def verify(
    session: Session,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="PULSEQUEUE_USER",
            help="A user of the pool, whom the analytics API answers.",
            show_envvar=True,
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(envvar="PULSEQUEUE_PASSWORD", help="That user's password.", show_envvar=True),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="PULSEQUEUE_API_URL",
            help="Where the HTTP API answers, if not at its own address.",
            show_envvar=True,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds each link may take: 45 unless told on this machine, 300 on AWS."),
    ] = None,
) -> None:
    """Send orders of every kind through, and check every link of the chain. Exit 1 if one is broken."""
    from scripts.environment.environment import open_environment
    from scripts.verify.endpoints import doors
    from scripts.verify.suite import Pace
    from scripts.verify.suite import verify as check

    environment = open_environment(session.env)
    found = doors(environment, api_url=api_url, user=_user(user, password))
    with terminate_as_interrupt():
        report = check(environment, found, Pace.of(environment, timeout), seen=lambda it: _say(session, it))
    session.out.show(_data(session.env, report), _view(report))
    if report.broken is not None:
        raise ToolError(f"{session.env} is broken at {report.broken.link}: {report.broken.says}")


def _user(name: str | None, password: str | None) -> User | None:
    from scripts.verify.endpoints import User

    if not name:
        return None
    if not password:
        raise ToolError(f"the password of {name} is missing; set PULSEQUEUE_PASSWORD.", exit_code=2)
    return User(name, password)


def _say(session: Session, finding: Finding) -> None:
    from scripts.verify.checks import State

    # Whoever breaks it off sees no table, and has to know what was left behind.
    why = f": {finding.says}" if finding.state is State.BROKEN else ""
    session.out.note(f"{finding.state:<12} {finding.link}{why}")


def _data(env: str, report: Report) -> dict[str, Any]:
    return {
        "environment": env,
        "broken": report.broken.link if report.broken else None,
        "links": [
            {
                "link": it.link,
                "checks": it.checks,
                "state": it.state.value,
                "says": it.says,
                "seconds": round(it.seconds, 2),
            }
            for it in report.findings
        ],
    }


def _view(report: Report) -> Table:
    # What each link is about, JSON has: beside it nothing that was found fits into a terminal.
    rows = [(it.link, it.state.value, f"{it.seconds:.1f}", it.says) for it in report.findings]
    return Table(("link", "state", "s", "found"), rows, numbers=frozenset({"s"}))
