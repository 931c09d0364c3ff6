"""Organisations and their members as items of the console's table."""

from datetime import datetime
from typing import Final

from services.shared.console import Console, Put
from services.shared.events import rfc3339
from services.shared.membership import Membership, membership_item, org_key

ORGANIZATION: Final = "org"
_MEMBER: Final = "member#"


def member_sk(user_id: str) -> str:
    return f"{_MEMBER}{user_id}"


def add_member(console: Console, membership: Membership, email: str, at: datetime) -> None:
    """Make a user a member, or change their role; the organisation is founded if it is new."""
    pk = org_key(membership.tenant_id)
    if console.get(pk, ORGANIZATION) is None:
        founded = {"name": membership.organization, "createdAt": rfc3339(at), "createdBy": membership.user_id}
        console.write(Put({"pk": pk, "sk": ORGANIZATION, **founded}))
    member = {"pk": pk, "sk": member_sk(membership.user_id)}
    console.write(
        Put({**member, "email": email, "role": membership.role, "addedAt": rfc3339(at)}),
        Put(membership_item(membership)),
    )
