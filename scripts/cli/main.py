"""`pulsequeue`: registers the commands, and turns every failure into one sentence and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import (
    audit,
    cost,
    db,
    deploy,
    dlq,
    events,
    grafana,
    inventory,
    logs,
    metrics,
    monitoring,
    order,
    org,
    package,
    publish,
    replay,
    stack,
    status,
    token,
    user,
    verify,
)
from scripts.cli.session import Json, Session, epilog, session_of
from scripts.common.errors import ToolError
from services.version import __version__

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

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
    order,
    inventory,
    dlq,
    replay,
    audit,
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
    verify,
    deploy,
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


def main(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one command line and return its exit code; the only place with a catch-all."""
    try:
        app(list(arguments), prog_name="pulsequeue", obj=session)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else _FAILED
    except ToolError as error:
        return _fail(_silent_stack(error) or str(error), error.exit_code)
    except BrokenPipeError:
        return _FAILED
    except KeyboardInterrupt:
        return _fail("interrupted.", _INTERRUPTED)
    except Exception as error:
        # The boundary: a user gets a sentence, never a traceback.
        if os.environ.get("PULSEQUEUE_DEBUG"):
            raise
        return _fail(_silent_stack(error) or _sentence(error), _FAILED)
    return 0


def _fail(sentence: str, code: int) -> int:
    print(f"pulsequeue: {sentence}", file=sys.stderr)
    return code


def _silent_stack(error: BaseException | None) -> str | None:
    """Return what to say if the error is, or comes from, a call that the local stack did not answer."""
    from scripts.environment.local_state import StackState, home_folder

    while error is not None:
        # Only botocore's connection errors name an endpoint.
        url = getattr(error, "kwargs", {}).get("endpoint_url")
        state = StackState.read(home_folder()) if url else None
        if state is not None and f"{url}/".startswith(f"{state.aws_endpoint}/"):
            return (
                f"the local stack does not answer at {state.aws_endpoint}; "
                "`pulsequeue status` says what is wrong, `make up` repairs it."
            )
        error = error.__cause__
    return None


def _sentence(error: Exception) -> str:
    from botocore.exceptions import BotoCoreError, ClientError
    from pydantic import ValidationError

    from scripts.common.json_input import faults
    from services.shared.errors import PulseQueueError

    match error:
        case ClientError() | BotoCoreError():
            return _aws_sentence(error)
        case ValidationError():
            return f"{error.title} is not valid: {'; '.join(faults(error))}."
        case PulseQueueError():
            return f"{error}; retry."
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror or error}."
        case _:
            what = f"{type(error).__name__}: {error}"
            return f"unexpected error ({what}); set PULSEQUEUE_DEBUG=1 for a traceback."


def _aws_sentence(error: "BotoCoreError | ClientError") -> str:
    from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

    match error:
        case ClientError():
            details = error.response.get("Error", {})
            return f"AWS refused {error.operation_name}: {details.get('Message') or details.get('Code')}"
        case NoCredentialsError():
            return "no AWS credentials; log in, or set AWS_PROFILE."
        case EndpointConnectionError():
            return f"cannot reach AWS: {error} Check the network, or start the stack with `make up`."
        case _:
            return f"the AWS call failed: {error}"
