"""The roles of callers, and which of them a route takes."""

from collections.abc import Collection
from typing import Final, TypeAlias

Role: TypeAlias = str

ADMIN: Final = "admin"
EDITOR: Final = "editor"
VIEWER: Final = "viewer"
MACHINE: Final = "machine"
"""A program, with scopes in place of what a person's role allows."""

ROLES: Final = (ADMIN, EDITOR, VIEWER)
"""The roles of people, the highest first."""

EDITORS: Final = (ADMIN, EDITOR)
ADMINS: Final = (ADMIN,)

ORDERS_READ: Final = "orders:read"
ORDERS_WRITE: Final = "orders:write"
INVENTORY_WRITE: Final = "inventory:write"
EVENTS_WRITE: Final = "events:write"
METRICS_READ: Final = "metrics:read"
SCOPES: Final = (ORDERS_READ, ORDERS_WRITE, INVENTORY_WRITE, EVENTS_WRITE, METRICS_READ)


def role_of(claim: object) -> Role | None:
    """Return the role that a token claims; None if it is no role of ours."""
    return claim if isinstance(claim, str) and claim in {*ROLES, MACHINE} else None


def scopes_of(claim: object) -> frozenset[str]:
    """Return the scopes that a token claims, which are separated by spaces."""
    return frozenset(claim.split()) & frozenset(SCOPES) if isinstance(claim, str) else frozenset()


def allows(roles: Collection[Role], scope: str | None, role: Role, scopes: Collection[str]) -> bool:
    """Return whether a route for these roles, and for machines with this scope, takes a caller."""
    return scope is not None and scope in scopes if role == MACHINE else role in roles
