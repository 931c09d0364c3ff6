"""The caller of a request, from the claims that the gateway's authorizer verified and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from services.shared.events import Identifier
from services.shared.http.problems import forbidden, unauthenticated
from services.shared.http.roles import MACHINE, Role, allows, role_of, scopes_of
from services.shared.http.routes import Route

TENANT_CLAIM: Final = "custom:tenant_id"
ROLE_CLAIM: Final = "custom:role"
SCOPES_CLAIM: Final = "custom:scopes"
"""Set when a token is issued, from membership; no user can write them."""

_IDENTIFIER: Final = TypeAdapter[str](Identifier)


@dataclass(frozen=True, slots=True)
class Caller:
    tenant_id: str
    user_id: str
    role: Role
    scopes: frozenset[str] = frozenset()


def caller_of(claims: Mapping[str, Any] | None, now: datetime) -> Caller:
    """Identify the caller, or refuse: a foreign or expired token, a user without a tenant or a role."""
    user_id = user_of(claims, now)
    verified = claims or {}
    tenant_id, role = _identifier(verified, TENANT_CLAIM), role_of(verified.get(ROLE_CLAIM))
    if tenant_id is None or role is None:
        raise forbidden(
            "The user is a member of no organization. "
            "Ask an administrator for an invitation, then sign in again."
        )
    return Caller(tenant_id, user_id, role, scopes_of(verified.get(SCOPES_CLAIM)))


def require(route: Route, caller: Caller) -> None:
    """Refuse a caller that the route does not take."""
    if allows(route.roles, route.scope, caller.role, caller.scopes):
        return
    if caller.role == MACHINE:
        needed = f"the scope {route.scope}" if route.scope else "a person's sign-in"
        raise forbidden(f"The machine token may not do this; it needs {needed}.")
    raise forbidden(
        f"The role {caller.role} may not do this; it takes {' or '.join(route.roles)}. Ask an administrator."
    )


def user_of(claims: Mapping[str, Any] | None, now: datetime) -> str:
    """Identify the user of a token, member of an organisation or not."""
    if not claims or claims.get("token_use") != "id" or not now.timestamp() < _expiry(claims):
        raise unauthenticated()
    user_id = _identifier(claims, "sub")
    if user_id is None:
        raise unauthenticated()
    return user_id


def _expiry(claims: Mapping[str, Any]) -> float:
    """Return when the token expires; a token without a readable expiry is treated as expired."""
    try:
        return float(claims.get("exp", 0))
    except (TypeError, ValueError):
        return 0.0


def _identifier(claims: Mapping[str, Any], name: str) -> str | None:
    try:
        return _IDENTIFIER.validate_python(claims.get(name))
    except ValidationError:
        return None
