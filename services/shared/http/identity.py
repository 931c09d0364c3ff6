"""The caller of a request, from the claims that the gateway's authorizer verified and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from services.shared.events import Identifier
from services.shared.http.problems import forbidden, unauthenticated
from services.shared.http.roles import ROLES, Role, highest_role

_IDENTIFIER: Final = TypeAdapter[str](Identifier)


@dataclass(frozen=True, slots=True)
class Caller:
    tenant_id: str
    user_id: str
    role: Role


def caller_of(claims: Mapping[str, Any] | None, now: datetime) -> Caller:
    """Identify the caller, or refuse: a foreign or expired token, a user without a tenant or a role."""
    if not claims or claims.get("token_use") != "id" or not now.timestamp() < _expiry(claims):
        raise unauthenticated()
    user_id, tenant_id = _identifier(claims, "sub"), _identifier(claims, "custom:tenant_id")
    if user_id is None:
        raise unauthenticated()
    if tenant_id is None:
        raise forbidden(
            "The user belongs to no tenant. Ask an administrator to assign one, then sign in again."
        )
    role = highest_role(claims.get("cognito:groups"))
    if role is None:
        raise forbidden(
            f"The user has no role. Ask an administrator for one of {', '.join(ROLES)}, then sign in again."
        )
    return Caller(tenant_id, user_id, role)


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
