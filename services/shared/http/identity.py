"""The caller of a request, from the claims that the gateway's authorizer verified and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from services.shared.events import Identifier
from services.shared.http.problems import forbidden, unauthenticated
from services.shared.http.roles import ADMIN, MACHINE, Role, allows, role_of, scopes_of
from services.shared.http.routes import Route

TENANT_CLAIM: Final = "custom:tenant_id"
ROLE_CLAIM: Final = "custom:role"
SCOPES_CLAIM: Final = "custom:scopes"
SECOND_FACTOR_CLAIM: Final = "custom:second_factor"
"""Set when a token is issued, from membership; no user can write them."""

HAS_SECOND_FACTOR: Final = "yes"
"""Of that claim. Any other value refuses administrators, no claim refuses nobody: the setting is off."""

_IDENTIFIER: Final = TypeAdapter[str](Identifier)


@dataclass(frozen=True, slots=True)
class Caller:
    tenant_id: str
    user_id: str
    role: Role
    scopes: frozenset[str] = frozenset()
    is_secure: bool = True
    """Whether the sign-in is good enough for an administrator."""


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
    return Caller(tenant_id, user_id, role, scopes_of(verified.get(SCOPES_CLAIM)), _is_secure(verified))


def require(route: Route, caller: Caller) -> None:
    """Refuse a caller that the route does not take, or an administrator without a needed second factor."""
    if caller.role == ADMIN and not caller.is_secure:
        raise forbidden(
            "Administrators need a second factor here. Set one up with an authenticator app "
            "(`pulsequeue user second-factor`), then sign in again."
        )
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


def _is_secure(claims: Mapping[str, Any]) -> bool:
    """Return whether an administrator's second factor is not needed, set up, or was used for this sign-in.

    `amr` is Cognito's, which adds it pool by pool; the gateway passes a list on as a text in brackets.
    """
    amr = claims.get("amr") or ()
    methods = amr.strip("[]").replace(",", " ").split() if isinstance(amr, str) else amr
    return claims.get(SECOND_FACTOR_CLAIM, HAS_SECOND_FACTOR) == HAS_SECOND_FACTOR or "mfa" in methods


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
