"""`pulsequeue verify`: checks that a deployed environment works, and names the first check that fails."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.common.errors import ToolError
from scripts.common.subprocesses import terminate_as_interrupt

if TYPE_CHECKING:
    from scripts.verify.checks import CheckReport, CheckResult
    from scripts.verify.endpoints import Credentials


def register(app: typer.Typer) -> None:
    command(app, examples=("verify", "verify --env dev --user anna --timeout 120"))(verify)


def verify(
    session: Session,
    user: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar="PULSEQUEUE_USER",
            help="User to sign in to the analytics API as.",
            show_envvar=True,
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            metavar="PASSWORD", envvar="PULSEQUEUE_PASSWORD", help="Password of --user.", show_envvar=True
        ),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="PULSEQUEUE_API_URL",
            help="Address of the HTTP API, when it is not at its own.",
            show_envvar=True,
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="N", min=1, help="Seconds per check; default 45 s; 300 s on AWS."),
    ] = None,
) -> None:
    """Send test orders through the environment, check each step, and clean up. Exit 1 if a check fails."""
    from scripts.environment.environment import open_environment
    from scripts.verify import suite
    from scripts.verify.endpoints import find_endpoints

    environment = open_environment(session.env)
    endpoints = find_endpoints(environment, api_url=api_url, credentials=_credentials(user, password))
    timing = suite.Timing.of(environment, timeout)
    with terminate_as_interrupt():
        report = suite.verify(environment, endpoints, timing, on_result=lambda it: _progress(session, it))
    # At a terminal the checks were printed one by one already.
    view = _summary(report) if session.out.is_on_terminal else _table(report)
    session.out.show(_data(session.env, report), view)
    if (failure := report.failure) is not None:
        raise ToolError(f"{session.env}: check failed: {failure.check}: {failure.message}")


def _credentials(user: str | None, password: str | None) -> Credentials | None:
    from scripts.verify.endpoints import Credentials

    if not user:
        return None
    if not password:
        raise ToolError(f"--user {user} needs a password; set PULSEQUEUE_PASSWORD.", exit_code=2)
    return Credentials(user, password)


def _progress(session: Session, result: CheckResult) -> None:
    from scripts.verify.checks import CheckOutcome

    # An interrupted run prints no table, and must still say what it left behind.
    shows_message = session.out.is_on_terminal or result.outcome is CheckOutcome.FAIL
    why = f": {result.message}" if shows_message and result.message else ""
    session.out.note(f"{result.outcome:<8} {result.check}{why}")


def _data(env: str, report: CheckReport) -> dict[str, Any]:
    return {
        "environment": env,
        "failed": report.failure.check if report.failure else None,
        "checks": [
            {
                "check": it.check,
                "description": it.description,
                "outcome": it.outcome.value,
                "message": it.message,
                "seconds": round(it.seconds, 2),
            }
            for it in report.results
        ],
    }


def _summary(report: CheckReport) -> str:
    outcomes = Counter(it.outcome.value for it in report.results)
    counts = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items())
    return f"{len(report.results)} checks in {sum(it.seconds for it in report.results):.0f} s: {counts}."


def _table(report: CheckReport) -> Table:
    # Descriptions are in the JSON only: a terminal has no room for them beside the messages.
    rows = [(it.check, it.outcome.value, f"{it.seconds:.1f}", it.message) for it in report.results]
    return Table(("check", "outcome", "s", "message"), rows, numbers=frozenset({"s"}))
