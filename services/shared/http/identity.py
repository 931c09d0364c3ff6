"""Who asks: what the gateway's authorizer verified, and nothing else in the request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter, ValidationError

from services.shared.events import Identifier
from services.shared.http.problems import forbidden, unauthenticated

Role: TypeAlias = str

ROLES: Final = ("admin", "editor", "viewer")
"""The highest first."""

_IDENTIFIER: Final = TypeAdapter[str](Identifier)
_NAMES: Final = re.compile(r"[^\s,\[\]\"']+")


@dataclass(frozen=True, slots=True)
class Caller:
    tenant_id: str
    user_id: str
    role: Role


def caller(claims: Mapping[str, Any] | None, now: datetime) -> Caller:
    """Tell who asks, or refuse: a token that is none of ours, or a user who belongs nowhere."""
    if not claims or claims.get("token_use") != "id" or not now.timestamp() < _expiry(claims):
        raise unauthenticated()
    user_id, tenant_id = _identifier(claims, "sub"), _identifier(claims, "custom:tenant_id")
    if user_id is None:
        raise unauthenticated()
    if tenant_id is None:
        raise forbidden("Have whoever administers the users give you a tenant, and sign in again.")
    role = _highest(_groups(claims.get("cognito:groups")))
    if role is None:
        raise forbidden(
            f"Have whoever administers the users make you one of {', '.join(ROLES)}, and sign in again."
        )
    return Caller(tenant_id, user_id, role)


def _expiry(claims: Mapping[str, Any]) -> float:
    """Tell when a token ends, which is long ago if it does not say."""
    try:
        return float(claims.get("exp", 0))
    except (TypeError, ValueError):
        return 0.0


def _identifier(claims: Mapping[str, Any], name: str) -> str | None:
    try:
        return _IDENTIFIER.validate_python(claims.get(name))
    except ValidationError:
        return None


def _groups(said: object) -> frozenset[str]:
    """Read a list of names, which an HTTP API hands over as text: `[admin viewer]`."""
    if isinstance(said, str):
        return frozenset(_NAMES.findall(said))
    if isinstance(said, list | tuple):
        return frozenset(name for name in said if isinstance(name, str))
    return frozenset()


def _highest(groups: frozenset[str]) -> Role | None:
    return next((role for role in ROLES if role in groups), None)
