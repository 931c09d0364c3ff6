"""Organisations over fakes: Ann is the admin of acme, Ben an editor, Vic a viewer."""

from dataclasses import dataclass, field
from itertools import count

from services.organizations.machines import Machines
from services.organizations.service import Organizations
from services.organizations.store import add_member
from services.shared.membership import Membership
from tests.support.console import MemoryConsole
from tests.support.fakes import START, ManualClock


class MemoryMachineUsers:
    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def create(self, client_id: str, secret: str) -> str:
        self.secrets[client_id] = secret
        return f"sub-of-{client_id}"

    def delete(self, client_id: str) -> None:
        self.secrets.pop(client_id, None)


@dataclass
class Acme:
    clock: ManualClock = field(default_factory=ManualClock)
    console: MemoryConsole = field(default_factory=MemoryConsole)
    users: MemoryMachineUsers = field(default_factory=MemoryMachineUsers)

    def __post_init__(self) -> None:
        ids, secrets = count(1), count(1)
        self.organizations = Organizations(
            console=self.console,
            clock=self.clock,
            new_id=lambda: f"id-{next(ids)}",
            new_secret=lambda: f"secret-{next(secrets)}",
        )
        self.machines = Machines(
            console=self.console,
            users=self.users,
            clock=self.clock,
            new_id=lambda: f"id-{next(ids)}",
            new_secret=lambda: f"secret-{next(secrets)}",
        )
        for user, role in (("ann", "admin"), ("ben", "editor"), ("vic", "viewer")):
            membership = Membership("acme", user, role, "Acme")
            add_member(self.console, membership, f"{user}@example.com", START)

    def roles(self) -> dict[str, str]:
        """Return the roles as the organisation lists them, which must be those of the users' side."""
        listed = {it.user_id: it.role for it in self.organizations.members("acme")}
        for user, role in listed.items():
            item = self.console.get(f"user#{user}", "org#acme")
            assert item is not None
            assert item["role"] == role
        return listed
