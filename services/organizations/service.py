"""Organisations: who founds them, who joins, who leaves, and what they keep."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.organizations import store
from services.organizations.store import Member
from services.shared.console import NEW, Console, Delete, Item, Put
from services.shared.events import rfc3339
from services.shared.http import problems
from services.shared.http.roles import ADMIN, EDITORS
from services.shared.membership import (
    CHOICE,
    Membership,
    chosen_tenant,
    memberships_of,
    org_key,
    user_pk,
)

INVITATION_LIFETIME: Final = timedelta(days=7)
MOST_VIEWS: Final = 200
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, as the token names them."""

    id: str
    email: str | None
    """Only if it is verified."""


@dataclass(frozen=True, slots=True)
class Invitation:
    id: str
    email: str
    role: str
    expires_at: datetime
    token: str
    """Shown once."""


@dataclass(frozen=True, kw_only=True)
class Organizations:
    console: Console
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]

    # --- one's own organisations ----------------------------------------------------------------------

    def of_user(self, user_id: str) -> tuple[Sequence[Membership], str | None]:
        """Return a user's memberships, and the chosen organisation."""
        items = self.console.list(user_pk(user_id))
        return memberships_of(items), chosen_tenant(items)

    def choose(self, user_id: str, tenant_id: str) -> None:
        if self.console.get(user_pk(user_id), org_key(tenant_id)) is None:
            raise problems.not_found("You are a member of no organization with this id.")
        self.console.write(Put({"pk": user_pk(user_id), "sk": CHOICE, "tenantId": tenant_id}))

    def found(self, user: User, name: str) -> Membership:
        """Found an organisation; its founder is its first admin, and is in it from the next token on."""
        membership = Membership(f"org-{self.new_id()}", user.id, ADMIN, name)
        now = self.clock()
        self.console.write(
            store.founding(store.organization_item(membership.tenant_id, name, user.id, now)),
            *store.member_writes(membership, user.email or "", now, NEW),
            Put({"pk": user_pk(user.id), "sk": CHOICE, "tenantId": membership.tenant_id}),
        )
        return membership

    # --- members --------------------------------------------------------------------------------------

    def members(self, tenant_id: str) -> Sequence[Member]:
        return store.members(self.console, tenant_id)

    def set_role(self, tenant_id: str, user_id: str, role: str) -> Member:
        def change(organization: Item, member: Member) -> None:
            changed = Membership(tenant_id, user_id, role, organization["name"])
            at = datetime.fromisoformat(member.added_at)
            writes = store.member_writes(changed, member.email, at)
            if not self.console.write(store.revised(organization), *writes):
                raise _ChangedMeanwhileError

        member = self._change_member(tenant_id, user_id, change, stays_admin=role == ADMIN)
        return Member(user_id, member.email, role, member.added_at)

    def remove(self, tenant_id: str, user_id: str) -> None:
        """Remove a member: their writes end now, their reads with their token."""

        def change(organization: Item, _member: Member) -> None:
            writes = store.removal_writes(tenant_id, user_id)
            if not self.console.write(store.revised(organization), *writes):
                raise _ChangedMeanwhileError

        self._change_member(tenant_id, user_id, change, stays_admin=False)

    def _change_member(
        self, tenant_id: str, user_id: str, change: Callable[[Item, Member], None], *, stays_admin: bool
    ) -> Member:
        for _ in range(_TRIES):
            organization = self.console.get(org_key(tenant_id), store.ORGANIZATION)
            members = {it.user_id: it for it in self.members(tenant_id)}
            member = members.get(user_id)
            if organization is None or member is None:
                raise problems.not_found("Your organization has no member with this id.")
            admins = [it for it in members.values() if it.role == ADMIN]
            if member.role == ADMIN and len(admins) == 1 and not stays_admin:
                raise problems.wrong_state("An organization keeps at least one admin; appoint another first.")
            try:
                change(organization, member)
            except _ChangedMeanwhileError:
                continue
            return member
        raise problems.unavailable()

    # --- invitations ----------------------------------------------------------------------------------

    def invite(self, tenant_id: str, email: str, role: str, by: str) -> Invitation:
        now = self.clock()
        invitation = Invitation(
            self.new_id(), email.lower(), role, now + INVITATION_LIFETIME, self.new_secret()
        )
        expires = {"expiresAt": int(invitation.expires_at.timestamp())}
        item = {
            "pk": org_key(tenant_id),
            "sk": f"{store.INVITATION}{invitation.id}",
            "email": invitation.email,
            "role": role,
            "invitedBy": by,
            "invitedAt": rfc3339(now),
            "pointer": _pointer(invitation.token),
            **expires,
        }
        pointer = {
            "pk": _pointer(invitation.token),
            "sk": "invite",
            "tenantId": tenant_id,
            "id": invitation.id,
        }
        self.console.write(Put(item, NEW), Put({**pointer, **expires}, NEW))
        return invitation

    def invitations(self, tenant_id: str) -> Sequence[Mapping[str, Any]]:
        now = self.clock().timestamp()
        found = store.entries(self.console, tenant_id, store.INVITATION)
        return [it for it in found if it["expiresAt"] > now]

    def withdraw(self, tenant_id: str, invitation_id: str) -> None:
        item = self.console.get(org_key(tenant_id), f"{store.INVITATION}{invitation_id}")
        if item is None:
            raise problems.not_found("Your organization has no invitation with this id.")
        self.console.write(Delete(item["pk"], item["sk"]), Delete(item["pointer"], "invite"))

    def accept(self, user: User, token: str) -> Membership:
        """Join by an invitation: once, in time, and with the address that was invited."""
        pointer = self.console.get(_pointer(token), "invite")
        item = pointer and self.console.get(
            org_key(pointer["tenantId"]), f"{store.INVITATION}{pointer['id']}"
        )
        now = self.clock()
        # One answer for all: a guess learns nothing about what invitations there are.
        invited = item and item["expiresAt"] > now.timestamp() and item["email"] == user.email
        if pointer is None or item is None or not invited:
            raise problems.not_found(
                "The invitation is unknown, was used, has expired, or is for another e-mail address. "
                "Ask for a new one."
            )
        tenant_id: str = pointer["tenantId"]
        organization = self.console.get(org_key(tenant_id), store.ORGANIZATION) or {}
        membership = Membership(tenant_id, user.id, item["role"], organization.get("name", tenant_id))
        joined = self.console.write(
            Delete(item["pk"], item["sk"], {"pointer": _pointer(token)}),
            Delete(_pointer(token), "invite"),
            *store.member_writes(membership, item["email"], now, NEW),
            Put({"pk": user_pk(user.id), "sk": CHOICE, "tenantId": tenant_id}),
        )
        if not joined:
            raise problems.wrong_state("The invitation was used, or you are a member already.")
        return membership

    # --- saved views ----------------------------------------------------------------------------------

    def views(self, tenant_id: str, user_id: str) -> Sequence[Mapping[str, Any]]:
        found = store.entries(self.console, tenant_id, store.VIEW)
        return [it for it in found if it["shared"] or it["owner"] == user_id]

    def save_view(
        self, tenant_id: str, member: Membership, view: Mapping[str, Any], view_id: str | None = None
    ) -> Mapping[str, Any]:
        """Create a view, or replace one's own; an admin may replace a shared one."""
        if view["shared"] and member.role not in EDITORS:
            raise problems.forbidden("A viewer's views are private. Ask an editor to share this one.")
        saved = view_id or self.new_id()
        owner = member.user_id
        if view_id is not None:
            owner = self._own_view(tenant_id, member, view_id)["owner"]
        elif len(store.entries(self.console, tenant_id, store.VIEW)) >= MOST_VIEWS:
            raise problems.wrong_state(f"An organization has at most {MOST_VIEWS} views; delete some first.")
        item = {"pk": org_key(tenant_id), "sk": f"{store.VIEW}{saved}", "owner": owner, **view}
        self.console.write(Put(item))
        return {**item, "id": saved}

    def delete_view(self, tenant_id: str, member: Membership, view_id: str) -> None:
        item = self._own_view(tenant_id, member, view_id)
        self.console.write(Delete(item["pk"], item["sk"]))

    def _own_view(self, tenant_id: str, member: Membership, view_id: str) -> Item:
        item = self.console.get(org_key(tenant_id), f"{store.VIEW}{view_id}")
        if item is None or (item["owner"] != member.user_id and not item["shared"]):
            raise problems.not_found("There is no such view, or it is not yours.")
        if item["owner"] != member.user_id and member.role != ADMIN:
            raise problems.forbidden("Only its owner or an admin may change a shared view.")
        return item


class _ChangedMeanwhileError(Exception):
    """The members changed between reading and writing."""


def _pointer(token: str) -> str:
    return f"invite#{hashlib.sha256(token.encode()).hexdigest()}"
