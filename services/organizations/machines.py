"""Machine tokens: users of the pool that programs sign in as, with scopes in place of a role."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from services.organizations import store
from services.shared.console import NEW, Console, Delete, Put
from services.shared.events import rfc3339
from services.shared.http import problems
from services.shared.http.roles import MACHINE
from services.shared.membership import Membership, membership_item, org_key, user_pk

MOST_MACHINES: Final = 50


class MachineUsers(Protocol):
    """The users of the pool that machines sign in as."""

    def create(self, client_id: str, secret: str) -> str:
        """Create a user with a permanent password; returns its id."""

    def delete(self, client_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class NewMachine:
    client_id: str
    secret: str
    """Shown once; nobody can read it again."""


@dataclass(frozen=True, kw_only=True)
class Machines:
    console: Console
    users: MachineUsers
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    new_secret: Callable[[], str]

    def all(self, tenant_id: str) -> Sequence[Mapping[str, Any]]:
        return store.entries(self.console, tenant_id, store.MACHINE)

    def create(self, tenant_id: str, name: str, scopes: Collection[str], by: str) -> NewMachine:
        if len(self.all(tenant_id)) >= MOST_MACHINES:
            raise problems.wrong_state(f"An organization has at most {MOST_MACHINES} machines; delete some.")
        organization = self.console.get(org_key(tenant_id), store.ORGANIZATION) or {}
        machine = NewMachine(f"machine-{self.new_id()}", self.new_secret())
        # A user without membership can do nothing: a crash after this line leaves no way in.
        user_id = self.users.create(machine.client_id, machine.secret)
        granted = frozenset(scopes)
        membership = Membership(tenant_id, user_id, MACHINE, organization.get("name", tenant_id), granted)
        item = {
            "pk": org_key(tenant_id),
            "sk": f"{store.MACHINE}{machine.client_id}",
            "name": name,
            "scopes": sorted(granted),
            "userId": user_id,
            "createdAt": rfc3339(self.clock()),
            "createdBy": by,
        }
        self.console.write(Put(item, NEW), Put(membership_item(membership), NEW))
        return machine

    def delete(self, tenant_id: str, client_id: str) -> None:
        """Take a machine's rights away at once, then its user."""
        item = self.console.get(org_key(tenant_id), f"{store.MACHINE}{client_id}")
        if item is None:
            raise problems.not_found("Your organization has no machine with this client id.")
        self.console.write(Delete(user_pk(item["userId"]), org_key(tenant_id)))
        self.users.delete(client_id)
        self.console.write(Delete(item["pk"], item["sk"]))
