"""`pulsequeue`: puts the commands together, and turns every failure into one sentence and an exit code."""

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
    metrics,
    monitoring,
    order,
    package,
    publish,
    replay,
    stack,
    token,
    verify,
)
from scripts.cli.session import Json, Session, session_of
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

_FAILED = 1
_INTERRUPTED = 130

app = typer.Typer(
    name="pulsequeue",
    help="Run, feed and look after PulseQueue.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def choose(
    context: typer.Context,
    env: Annotated[
        str,
        typer.Option(
            "--env",
            metavar="ENV",
            envvar="PULSEQUEUE_ENV",
            help="Environment: local, dev, prod, or another that was deployed.",
        ),
    ] = "local",
    as_json: Json = False,
) -> None:
    context.obj = session_of(context).with_options(env, as_json=as_json)


stack.register(app)
for group in (
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
    verify,
    deploy,
):
    group.register(app)


def run() -> None:
    """Be the program."""
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads any more. The interpreter would flush once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or _FAILED
    sys.exit(code)


def main(arguments: Sequence[str], session: Session | None = None) -> int:
    """Run one command line and return its exit code; this is the one place where anything is caught."""
    try:
        app(list(arguments), prog_name="pulsequeue", obj=session)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else _FAILED
    except ToolError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        return _FAILED
    except KeyboardInterrupt:
        return _fail("interrupted.", _INTERRUPTED)
    except Exception as error:
        # The boundary: whatever happened, a user gets a sentence and never a traceback.
        if os.environ.get("PULSEQUEUE_DEBUG"):
            raise
        return _fail(_sentence(error), _FAILED)
    return 0


def _fail(sentence: str, code: int) -> int:
    print(f"pulsequeue: {sentence}", file=sys.stderr)
    return code


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
            return f"try again: {error}."
        case OSError():
            return f"{error.filename or 'the system'}: {error.strerror or error}."
        case _:
            what = f"{type(error).__name__}: {error}"
            return f"something unforeseen happened ({what}); PULSEQUEUE_DEBUG=1 shows where."


def _aws_sentence(error: "BotoCoreError | ClientError") -> str:
    from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

    match error:
        case ClientError():
            said = error.response.get("Error", {})
            return f"AWS refused {error.operation_name}: {said.get('Message') or said.get('Code')}"
        case NoCredentialsError():
            return "there are no AWS credentials; log in, or set AWS_PROFILE."
        case EndpointConnectionError():
            return f"AWS cannot be reached: {error} Is the stack up, or the network?"
        case _:
            return f"AWS could not be asked: {error}"
