"""`pulsequeue`: registers the commands, and turns every failure into one sentence and an exit code."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated

import typer

from scripts.cli import (
    alerts,
    audit,
    backup,
    console,
    cost,
    dataset,
    db,
    demo,
    deploy,
    dlq,
    events,
    grafana,
    imports,
    inventory,
    logs,
    metrics,
    monitoring,
    order,
    org,
    package,
    pipeline,
    previews,
    publish,
    replay,
    secrets,
    snowflake,
    stack,
    status,
    token,
    user,
    verify,
    warehouse,
    webhook,
)
from scripts.cli.failures import explain, silent_stack
from scripts.cli.output import error_width, prose
from scripts.cli.session import Json, Session, epilog, session_of
from scripts.common.errors import ToolError
from services.version import __version__

_FAILED = 1
_INTERRUPTED = 130

app = typer.Typer(
    name="pulsequeue",
    help="Run, use and operate PulseQueue.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog=epilog(
        (
            "publish --item prod-001=2 --wait",
            "--env prod order ls --status RESERVED --from 1h",
            "dlq ls --env prod",
            "--install-completion",
        )
    ),
)


def _print_version(value: bool) -> None:
    if value:
        print(f"pulsequeue {__version__}")
        raise typer.Exit


@app.callback()
def choose(
    context: typer.Context,
    env: Annotated[
        str,
        typer.Option(
            "--env",
            metavar="ENV",
            envvar="PULSEQUEUE_ENV",
            help="Environment: local, dev, prod, or another deployed one.",
        ),
    ] = "local",
    as_json: Json = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    context.obj = session_of(context).with_options(env, as_json=as_json)


for group in (
    stack,
    status,
    logs,
    publish,
    demo,
    order,
    inventory,
    dataset,
    imports,
    dlq,
    replay,
    audit,
    backup,
    alerts,
    previews,
    secrets,
    events,
    metrics,
    monitoring,
    grafana,
    package,
    cost,
    db,
    token,
    user,
    org,
    webhook,
    warehouse,
    pipeline,
    snowflake,
    verify,
    deploy,
    console,
):
    group.register(app)


def run() -> None:
    """Entry point of the program."""
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has closed the pipe; a second flush at exit would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or _FAILED
    sys.exit(code)


@cache
def _command() -> Callable[..., object]:
    return typer.main.get_command(app)


def main(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one command line and return its exit code; the only place with a catch-all."""
    try:
        _command()(list(arguments), prog_name="pulsequeue", obj=session)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else _FAILED
    except ToolError as error:
        return _fail(silent_stack(error) or str(error), error.exit_code)
    except BrokenPipeError:
        return _FAILED
    except KeyboardInterrupt:
        return _fail("interrupted.", _INTERRUPTED)
    except Exception as error:
        # The boundary: a user gets a sentence, never a traceback.
        if os.environ.get("PULSEQUEUE_DEBUG"):
            raise
        return _fail(explain(error), _FAILED)
    return 0


def _fail(sentence: str, code: int) -> int:
    print(prose(f"pulsequeue: {sentence}", error_width()), file=sys.stderr)
    return code
