"""The roles of a tenant's users, as the groups of the user pool name them."""

import re
from typing import Final, TypeAlias

Role: TypeAlias = str

ROLES: Final = ("admin", "editor", "viewer")
"""The highest first."""

_GROUP: Final = re.compile(r"[^\s,\[\]\"']+")


def highest_role(groups_claim: object) -> Role | None:
    groups = _groups(groups_claim)
    return next((role for role in ROLES if role in groups), None)


def _groups(claim: object) -> frozenset[str]:
    """Parse a list of names, which an HTTP API passes on as text: `[admin viewer]`."""
    if isinstance(claim, str):
        return frozenset(_GROUP.findall(claim))
    if isinstance(claim, list | tuple):
        return frozenset(name for name in claim if isinstance(name, str))
    return frozenset()
