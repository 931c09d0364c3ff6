"""`pulsequeue logs`: prints or follows the logs of the functions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.session import Session, command

if TYPE_CHECKING:
    from scripts.ops.function_logs import LogLine


def register(app: typer.Typer) -> None:
    examples = (
        "logs --follow",
        "logs payment --since 2h --env prod",
        "logs --json | jq .event",
    )
    command(app, examples=examples)(logs)


def logs(
    session: Session,
    *,
    function: Annotated[
        str | None, typer.Argument(metavar="FUNCTION", help="Only the lines of this function.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Print new lines as they arrive.")] = False,
    since: Annotated[str, typer.Option(metavar="SPAN", help="Lines since: 90s, 5m, 2h or 1d ago.")] = "5m",
    grep: Annotated[str, typer.Option(metavar="TEXT", help="Only lines that contain this text.")] = "",
) -> None:
    """Print the logs of the functions; with --json one JSON object a line."""
    import time

    from scripts.common.times import parse_duration
    from scripts.environment.environment import open_environment
    from scripts.ops import function_logs

    environment = open_environment(session.env)
    if function is not None:
        environment.topology.function(function)
    functions = [function] if function else list(environment.topology.functions)
    start = max(0, int((time.time() - parse_duration(since).total_seconds()) * 1000))
    read = function_logs.follow if follow else function_logs.read
    for text in rendered(iter(read(environment, functions, start)), as_json=session.as_json, grep=grep):
        print(text, flush=follow)


def rendered(lines: "Iterator[LogLine]", *, as_json: bool, grep: str) -> Iterator[str]:
    from scripts.ops.function_logs import format_line, json_line

    for line in lines:
        if grep.casefold() not in line.message.casefold():
            continue
        text = json_line(line) if as_json else format_line(line)
        if text is not None:
            # Orders may contain control characters, which must not reach the terminal.
            yield "".join(it if it.isprintable() else "\N{REPLACEMENT CHARACTER}" for it in text)
