"""Organisations, members, invitations, saved views and machines as items of the console's table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.shared.console import NEW, Condition, Console, Delete, Item, Put, Write
from services.shared.events import rfc3339
from services.shared.membership import Membership, membership_item, org_key, user_pk

ORGANIZATION: Final = "org"
MEMBER: Final = "member#"
INVITATION: Final = "invitation#"
VIEW: Final = "view#"
MACHINE: Final = "machine#"


@dataclass(frozen=True, slots=True)
class Member:
    user_id: str
    email: str
    role: str
    added_at: str


def organization_item(tenant_id: str, name: str, by: str, at: datetime) -> Item:
    created = {"name": name, "createdAt": rfc3339(at), "createdBy": by, "revision": 0}
    return {"pk": org_key(tenant_id), "sk": ORGANIZATION, **created}


def founding(organization: Item) -> Put:
    return Put(organization, NEW)


def member_writes(
    membership: Membership, email: str, at: datetime, condition: Condition = None
) -> list[Write]:
    """Write both sides of a membership."""
    member = {
        "pk": org_key(membership.tenant_id),
        "sk": f"{MEMBER}{membership.user_id}",
        "email": email,
        "role": membership.role,
        "addedAt": rfc3339(at),
    }
    return [Put(member, condition), Put(membership_item(membership), condition)]


def removal_writes(tenant_id: str, user_id: str) -> list[Write]:
    """Delete both sides of a membership."""
    return [
        Delete(org_key(tenant_id), f"{MEMBER}{user_id}"),
        Delete(user_pk(user_id), org_key(tenant_id)),
    ]


def revised(organization: Item) -> Put:
    """Count a change of the members, so that two at once cannot both be decided on the same list."""
    revision = int(organization["revision"])
    return Put({**organization, "revision": revision + 1}, {"revision": revision})


def members(console: Console, tenant_id: str) -> Sequence[Member]:
    return [
        Member(it["sk"].removeprefix(MEMBER), it["email"], it["role"], it["addedAt"])
        for it in console.list(org_key(tenant_id), MEMBER)
    ]


def add_member(console: Console, membership: Membership, email: str, at: datetime) -> None:
    """Make a user a member, or change their role; the organisation is founded if it is new."""
    founded = organization_item(membership.tenant_id, membership.organization, membership.user_id, at)
    console.write(founding(founded))
    console.write(*member_writes(membership, email, at))


def entries(console: Console, tenant_id: str, kind: str) -> Sequence[dict[str, Any]]:
    """Return the items of one kind, each with its id."""
    return [{**it, "id": it["sk"].removeprefix(kind)} for it in console.list(org_key(tenant_id), kind)]
