"""`pulsequeue token`: prints a bearer token for the analytics API."""

from typing import Annotated

import typer

from scripts.cli.session import Session, command
from scripts.common.errors import ToolError


def register(app: typer.Typer) -> None:
    command(app, examples=("token --role admin", "token --user anna --env prod"))(token)


def token(
    session: Session,
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="The local stack's user with this role.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="A user of the pool, by name.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="PULSEQUEUE_PASSWORD",
            metavar="PASSWORD",
            help="Prompted for by default.",
            show_envvar=True,
        ),
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="What the authenticator app of the user shows."),
    ] = None,
) -> None:
    """Sign in to the user pool and print a token for the analytics API, valid for five minutes."""
    from scripts.environment.cognito import ROLES
    from scripts.environment.cognito import token as sign_in
    from scripts.environment.environment import LOCAL, open_environment
    from scripts.environment.local_state import StackState, home_folder

    if (role is None) == (user is None):
        raise ToolError("give either --role or --user.", exit_code=2)
    if role is not None:
        if role not in ROLES:
            raise ToolError(f"role {role!r} not found; choose one of {', '.join(ROLES)}.", exit_code=2)
        if session.env != LOCAL:
            raise ToolError("only the local stack has a user per role; give --user.", exit_code=2)
        state = StackState.read(home_folder())
        user, password = role, state.users_password if state else ""
    environment = open_environment(session.env)
    name = user or ""
    given = (
        password if password is not None else typer.prompt(f"Password of {name}", hide_input=True, err=True)
    )
    session.out.show({"user": name, "token": (signed := sign_in(environment, name, given, code))}, signed)
