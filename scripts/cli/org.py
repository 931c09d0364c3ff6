"""`pulsequeue org`: organizations, each a tenant."""

from typing import Annotated

import typer

from scripts.cli.session import Session, command
from scripts.common.errors import ToolError

Id = Annotated[str, typer.Argument(metavar="ID", help="The organization's id, which is its tenant id.")]


def register(app: typer.Typer) -> None:
    organizations = typer.Typer(help="Manage organizations, each a tenant.", no_args_is_help=True)
    command(organizations, "add", examples=("org add shop --name 'The shop'",))(add)
    command(organizations, "show", examples=("org show shop",))(show)
    app.add_typer(organizations, name="org")


def add(
    session: Session,
    organization: Id,
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Its name; the id by default.")] = None,
) -> None:
    """Found an organization; add its first admin with `pulsequeue user add`."""
    from pydantic import TypeAdapter, ValidationError

    from scripts.environment.environment import open_environment
    from scripts.ops.members.users import Users
    from services.shared.events import Identifier

    try:
        TypeAdapter(Identifier).validate_python(organization)
    except ValidationError:
        raise ToolError(
            f"{organization!r} is no valid id; use letters, digits and dashes.", exit_code=2
        ) from None
    if not Users(open_environment(session.env)).found(organization, name or organization):
        raise ToolError(f"organization {organization!r} exists already.")
    session.out.show({"id": organization, "name": name or organization}, f"{organization} is founded.")


def show(session: Session, organization: Id) -> None:
    """Show an organization and the number of its members."""
    from scripts.environment.environment import open_environment
    from scripts.ops.members.users import Users

    users = Users(open_environment(session.env))
    name = users.organization(organization)
    if name is None:
        raise ToolError(f"organization {organization!r} not found.")
    members = len(users.members(organization))
    session.out.show(
        {"id": organization, "name": name, "members": members}, f"{name} ({organization}): {members} members"
    )
