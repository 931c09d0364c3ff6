"""Who belongs to which organisation, and as what. An organisation is a tenant."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from services.shared.console import Console, Item
from services.shared.http.roles import Role

_ORGANIZATION: Final = "org#"
CHOICE: Final = "choice"


@dataclass(frozen=True, slots=True)
class Membership:
    tenant_id: str
    user_id: str
    role: Role
    organization: str
    """The organisation's name."""
    scopes: frozenset[str] = frozenset()
    """What a machine may do; people have a role only."""


class Memberships(Protocol):
    def membership(self, tenant_id: str, user_id: str) -> Membership | None:
        """Return what a user is in an organisation at this moment, never from a cache."""


FindMembership: TypeAlias = Callable[[str, str], Membership | None]
"""What Memberships does, as a function of tenant and user."""


class ConsoleMemberships:
    """Memberships in the console's table."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def membership(self, tenant_id: str, user_id: str) -> Membership | None:
        item = self._console.get(user_pk(user_id), org_key(tenant_id))
        return _membership(item) if item else None


def user_pk(user_id: str) -> str:
    return f"user#{user_id}"


def org_key(tenant_id: str) -> str:
    """Return the partition of an organisation, and the sort key of a membership on its user's side."""
    return f"{_ORGANIZATION}{tenant_id}"


def membership_item(membership: Membership) -> Item:
    """Make the user's side of a membership, which tokens are issued from."""
    return {
        "pk": user_pk(membership.user_id),
        "sk": org_key(membership.tenant_id),
        "role": membership.role,
        "organization": membership.organization,
        "scopes": sorted(membership.scopes) or None,
    }


def memberships_of(items: Iterable[Item]) -> Sequence[Membership]:
    """Read the memberships among the items of one user."""
    return [_membership(it) for it in items if it["sk"].startswith(_ORGANIZATION)]


def chosen_tenant(items: Iterable[Item]) -> str | None:
    return next((it["tenantId"] for it in items if it["sk"] == CHOICE), None)


def current(memberships: Sequence[Membership], chosen: str | None) -> Membership | None:
    """Return the membership in the chosen organisation, or in the first one; None for none."""
    ordered = sorted(memberships, key=lambda it: (it.tenant_id != chosen, it.tenant_id))
    return ordered[0] if ordered else None


def _membership(item: Item) -> Membership:
    return Membership(
        tenant_id=item["sk"].removeprefix(_ORGANIZATION),
        user_id=item["pk"].removeprefix("user#"),
        role=item["role"],
        organization=item["organization"],
        scopes=frozenset(item.get("scopes") or ()),
    )
