"""`pulsequeue secrets`: rotates the secrets that deployments made."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import Session, command
from scripts.ops.secret_names import PURPOSES, SecretName

if TYPE_CHECKING:
    from scripts.ops.secret_rotation import SecretRotation

Name = Annotated[
    SecretName, typer.Argument(metavar="NAME", help="cursor-key, oauth-client-secret or database.")
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Rotate the secrets of an environment, without downtime. "
        "Those of organizations: `webhook rotate`, `token`.",
        no_args_is_help=True,
    )
    command(group, examples=("secrets ls --env prod",))(ls)
    command(group, examples=("secrets rotate cursor-key --env prod",))(rotate)
    command(group, examples=("secrets retire cursor-key --env prod",))(retire)
    app.add_typer(group, name="secrets")


def ls(session: Session) -> None:
    """List the secrets, and how many of their values are accepted."""
    rotation = _rotation(session)
    rows = [(name, purpose, rotation.values(name)) for name, purpose in PURPOSES.items()]
    session.out.show(
        [{"name": name, "purpose": purpose, "values": values} for name, purpose, values in rows],
        Table(("secret", "purpose", "values"), [(*row[:2], row[2] or "none here") for row in rows]),
    )


def rotate(session: Session, name: Name) -> None:
    """Make a new value and use it. The previous one is accepted until it is retired."""
    if name is SecretName.CURSOR_KEY:
        session.out.note("Waiting a minute, until every function accepts the new key ...")
    done = _rotation(session).rotate(name)
    text = f"{name.value} of {session.env} is rotated."
    if done.previous_accepted:
        text += (
            " The previous value is accepted still. To end that: "
            f"pulsequeue secrets retire {name.value} --env {session.env}"
        )
    session.out.show({"name": name.value, "previousAccepted": done.previous_accepted}, text)


def retire(session: Session, name: Name) -> None:
    """Accept the newest value only."""
    retired = _rotation(session).retire(name)
    text = f"Only the newest value of {name.value} is accepted" + ("." if retired else " already.")
    session.out.show({"name": name.value, "retired": retired}, text)


def _rotation(session: Session) -> "SecretRotation":
    from scripts.environment.environment import open_environment
    from scripts.ops.secret_rotation import SecretRotation

    return SecretRotation(open_environment(session.env))
