"""`pulsequeue snowflake`: the statements that an administrator of Snowflake runs once."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from services.warehouse.snowflake_setup import Script

_USAGE: Final = 2
_EXAMPLE: Final = "snowflake setup --url s3://b/ --aws-role ARN --public-key k.pub"
_ACCOUNT: Final = "SNOWFLAKE_ACCOUNT"
_USER: Final = "SNOWFLAKE_USER"
_KEY: Final = "SNOWFLAKE_PRIVATE_KEY_FILE"


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Set up Snowflake as a warehouse.", no_args_is_help=True)
    command(
        group,
        examples=(_EXAMPLE,),
    )(setup)
    app.add_typer(group, name="snowflake")


def setup(
    session: Session,
    *,
    url: Annotated[str, typer.Option(metavar="S3-URL", help="Root of the export, such as s3://bucket/.")],
    aws_role: Annotated[
        str, typer.Option(metavar="ARN", help="AWS role that reads the export for Snowflake.")
    ],
    public_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The loader signs in by key pair: its public key.")
    ] = None,
    loader_role: Annotated[
        str | None,
        typer.Option(metavar="ARN", help="The loader signs in as this AWS role, without a secret."),
    ] = None,
    prefix: Annotated[str, typer.Option(metavar="NAME", help="What all names begin with.")] = "PULSEQUEUE",
    credits_: Annotated[
        int, typer.Option("--credits", metavar="N", min=1, help="Most credits a month.")
    ] = 10,
    snowpipe: Annotated[
        bool, typer.Option("--snowpipe", help="Add a pipe that loads files as they arrive.")
    ] = False,
    run: Annotated[
        bool,
        typer.Option("--run", help=f"Run it in the account of {_ACCOUNT}, signed in as {_USER} by {_KEY}."),
    ] = False,
) -> None:
    """Print the statements that set up Snowflake; with --run, run them.

    They create a warehouse with a limit, a role that loads, one that reads, a database, and the stage of the
    export. Nothing is run without --run.
    """
    from services.shared.errors import PulseQueueError
    from services.warehouse.snowflake_setup import Setup, scripts

    try:
        key = public_key.read_text(encoding="utf-8") if public_key else None
    except OSError as error:
        raise ToolError(f"--public-key {public_key}: {error.strerror}.", exit_code=_USAGE) from error
    try:
        found = Setup(url, aws_role, loader_role, key, prefix.upper(), credits_)
        all_scripts = scripts(found, snowpipe=snowpipe)
    except PulseQueueError as error:
        raise ToolError(str(error), exit_code=_USAGE) from error
    if run:
        _run(session, all_scripts)
        return
    data = [{"name": it.name, "role": it.role, "statements": list(it.statements)} for it in all_scripts]
    session.out.show(data, *(f"-- {it.name}.sql\n{it.text}" for it in all_scripts))
    session.out.note(
        f"Nothing was run: {len(all_scripts)} scripts, to be run in this order. --run runs them."
    )


def _run(session: Session, all_scripts: "Sequence[Script]") -> None:
    from services.shared.errors import PulseQueueError
    from services.warehouse.adapters.snowflake_warehouse import open_snowflake

    done = 0
    try:
        with open_snowflake(_parameters(os.environ)) as account:
            for script in all_scripts:
                for statement in (f"USE ROLE {script.role}", *script.statements):
                    account.run(statement)
                done += 1
                session.out.note(f"{script.name}: {len(script.statements)} statements run")
    except PulseQueueError as error:
        raise ToolError(
            f"{error} {done} of {len(all_scripts)} scripts were run; each can be run again."
        ) from error
    session.out.show({"scripts": done}, f"Snowflake is set up: {done} scripts were run.")


def _parameters(environment: Mapping[str, str]) -> Mapping[str, Any]:
    """Return how the administrator signs in: by a key pair, never by a password."""
    missing = [name for name in (_ACCOUNT, _USER, _KEY) if not environment.get(name)]
    if missing:
        raise ToolError(f"--run needs {', '.join(missing)}; without --run the statements are printed.")
    return {
        "account": environment[_ACCOUNT],
        "user": environment[_USER],
        "authenticator": "SNOWFLAKE_JWT",
        "private_key_file": environment[_KEY],
        "login_timeout": 30,
        "network_timeout": 60,
    }
