"""`pulsequeue user`: who may sign in, and as what."""

from datetime import UTC
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli.output import Table
from scripts.cli.session import DEFAULT_TENANT, Session, Tenant, command
from scripts.common.errors import ToolError

if TYPE_CHECKING:
    from scripts.ops.members.users import Users

_USAGE = 2
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name in the user pool.")]
Role = Annotated[str, typer.Option(metavar="ROLE", help="viewer, editor or admin.")]


def register(app: typer.Typer) -> None:
    users = typer.Typer(help="Manage who may sign in, and as what.", no_args_is_help=True)
    command(users, "add", examples=("user add ana --role editor --tenant shop",))(add)
    command(users, "ls", examples=("user ls --tenant shop",))(ls)
    command(users, "remove", examples=("user remove ana --tenant shop",))(remove)
    command(users, "invite", examples=("user invite ana@example.com --role viewer --tenant shop",))(invite)
    command(users, "second-factor", examples=("user second-factor ana --env prod",))(second_factor)
    app.add_typer(users, name="user")


def add(
    session: Session,
    name: Name,
    *,
    role: Role = "viewer",
    tenant: Tenant = DEFAULT_TENANT,
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The user's e-mail address.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="PULSEQUEUE_PASSWORD",
            metavar="PASSWORD",
            help="A permanent password; by default the user has none and cannot sign in with one.",
            show_envvar=True,
        ),
    ] = None,
) -> None:
    """Make a user and a member of an organization; for one who is there, set the role."""
    _check_role(role)
    if email is not None:
        _check_address(email)
    added = _users(session).add(name, tenant, role, email=email, password=password)
    done = "is a new user and" if added.created else "exists and"
    session.out.show(
        {"name": name, "userId": added.user_id, "created": added.created, "tenant": tenant, "role": role},
        f"{name} {done} is {role} of {tenant}.",
    )


def ls(session: Session, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """List the members of an organization."""
    users = _users(session)
    members = users.members(tenant)
    if not members and users.organization(tenant) is None:
        raise ToolError(f"organization {tenant!r} not found; found it with `pulsequeue org add`.")
    session.out.show(
        [
            {"userId": it.user_id, "email": it.email, "role": it.role, "addedAt": it.added_at}
            for it in members
        ],
        Table(
            ("user", "email", "role", "since"),
            [(it.user_id, it.email, it.role, it.added_at) for it in members],
            dispensable=("since",),
        ),
    )


def remove(session: Session, name: Name, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """End a membership: writes end now, reads within five minutes. The user remains in the pool."""
    _users(session).remove(name, tenant)
    session.out.show({"name": name, "tenant": tenant}, f"{name} is no longer a member of {tenant}.")


def invite(
    session: Session,
    email: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who is invited; nobody else can accept.")],
    *,
    role: Role = "viewer",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Print the token of an invitation, once; whoever signs in with this address can accept it."""
    _check_role(role)
    _check_address(email)
    invitation = _users(session).invite(email, tenant, role)
    expires = invitation.expires_at.astimezone(UTC).isoformat(timespec="seconds")
    session.out.show(
        {"id": invitation.id, "email": email, "role": role, "expiresAt": expires, "token": invitation.token},
        f"Send this token to {email}; it is shown once and expires at {expires}:",
        invitation.token,
    )


def second_factor(
    session: Session,
    name: Name,
    *,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="PULSEQUEUE_PASSWORD",
            metavar="PASSWORD",
            help="The user's password; prompted for by default.",
            show_envvar=True,
        ),
    ] = None,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="A code of the app so far, to replace it by another.")
    ] = None,
) -> None:
    """Set an authenticator app up for a user; the user pool then asks for its codes at every sign-in."""
    from scripts.environment.environment import open_environment
    from scripts.ops.members.second_factor import Enrolment

    environment = open_environment(session.env)
    given = password or typer.prompt(f"Password of {name}", hide_input=True, err=True)
    enrolment = Enrolment(environment, name, given, code)
    # Whole, whatever the width of the terminal.
    typer.echo(f"Enter this secret in the authenticator app: {enrolment.secret}", err=True)
    typer.echo(f"Or open: {enrolment.address}", err=True)
    enrolment.confirm(typer.prompt("Code that the app shows", err=True).strip())
    session.out.show(
        {"name": name, "secondFactor": True}, f"{name} signs in with a second factor from now on."
    )


def _check_address(email: str) -> None:
    """Nobody could accept an invitation to what is no address."""
    from pydantic import TypeAdapter, ValidationError

    from services.organizations.requests import Email

    try:
        TypeAdapter(Email).validate_python(email)
    except ValidationError:
        raise ToolError(
            f"{email!r} is no e-mail address; give one like ana@example.com.", exit_code=_USAGE
        ) from None


def _users(session: Session) -> "Users":
    from scripts.environment.environment import open_environment
    from scripts.ops.members.users import Users

    return Users(open_environment(session.env))


def _check_role(role: str) -> None:
    from scripts.environment.cognito import ROLES

    if role not in ROLES:
        raise ToolError(f"role {role!r} not found; choose one of {', '.join(ROLES)}.", exit_code=_USAGE)
