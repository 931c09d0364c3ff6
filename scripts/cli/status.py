"""`pulsequeue status`: the local stack, or what exists of a deployed environment."""

from typing import TYPE_CHECKING, Any

import typer

from scripts.cli.output import Table
from scripts.cli.session import LOCAL, Session, command

if TYPE_CHECKING:
    from scripts.ops.environment_status import EnvironmentStatus


def register(app: typer.Typer) -> None:
    command(app, examples=("status", "status --env prod --json"))(status)


def status(session: Session) -> None:
    """Show functions and queues of the local stack, or of the environment of --env. Exit 1 on a problem."""
    if session.env == LOCAL:
        _local(session)
        return
    from scripts.environment.environment import open_environment
    from scripts.ops.environment_status import environment_status

    found = environment_status(open_environment(session.env))
    session.out.show(_data(found), *_view(found))
    if found.problems:
        raise typer.Exit(1)


def _local(session: Session) -> None:
    from scripts.cli.stack_views import status_json, status_view
    from scripts.local import stack_status

    found = stack_status.status()
    session.out.show(status_json(found), *status_view(found))
    if not found.healthy:
        raise typer.Exit(1)


def _data(found: "EnvironmentStatus") -> dict[str, Any]:
    return {
        "env": found.environment,
        "account": found.account,
        "region": found.region,
        "healthy": not found.problems,
        "problems": found.problems,
        "functions": [
            {
                "name": it.name,
                "state": it.state,
                "trigger": it.trigger,
                "triggerState": it.trigger_state or None,
            }
            for it in found.functions
        ],
        "queues": [
            {
                "name": it.name,
                "visible": it.visible,
                "inFlight": it.in_flight,
                "delayed": it.delayed,
                "deadLetters": it.dead_letters,
            }
            for it in found.queues
        ],
    }


def _view(found: "EnvironmentStatus") -> list[Table | str]:
    health = "NOT HEALTHY" if found.problems else "functions and triggers are in place"
    functions = [(it.name, it.state, it.trigger, it.trigger_state) for it in found.functions]
    queues = [(it.name, it.visible, it.in_flight, it.delayed, it.dead_letters) for it in found.queues]
    columns = ("queue", "visible", "in flight", "delayed", "dead letters")
    summary = (
        f"{found.environment} in account {found.account}, {found.region}: {health}.\n"
        f"`pulsequeue verify --env {found.environment}` sends test orders through it."
    )
    return [
        *(f"problem: {problem}" for problem in found.problems),
        summary,
        "",
        Table(("function", "state", "trigger", "trigger state"), functions),
        "",
        Table(columns, queues, frozenset(columns[1:])),
    ]
