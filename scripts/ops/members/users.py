"""Users of the pool, and their membership in organisations, as an operator manages them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from scripts.common.errors import ToolError
from scripts.environment.cognito import pool_id
from services.organizations import store
from services.organizations.service import Invitation, Organizations
from services.shared.adapters.console_table import ConsoleTable
from services.shared.http.problems import ProblemError
from services.shared.membership import Membership, org_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.environment.environment import Environment
    from services.organizations.store import Member

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class AddedUser:
    name: str
    user_id: str
    created: bool
    """Whether the pool had no user of this name."""


class Users:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._cognito = environment.client("cognito-idp")
        self._console = ConsoleTable(environment.client("dynamodb"), environment.names.table("console"))
        self.organizations = Organizations(
            console=self._console,
            clock=lambda: datetime.now(UTC),
            new_id=lambda: uuid4().hex[:16],
            new_secret=lambda: secrets.token_urlsafe(32),
        )

    def add(self, name: str, tenant: str, role: str, *, email: str | None, password: str | None) -> AddedUser:
        """Make a user and a member of an organisation; set the role of one who is there."""
        pool, user_id = self._pool(), self._find(name)
        if user_id is None:
            attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
            created = self._cognito.admin_create_user(
                UserPoolId=pool,
                Username=name,
                MessageAction="SUPPRESS",
                UserAttributes=attributes if email else [],  # type: ignore[arg-type]  # an email is a text here
            )
            user_id = _sub(created["User"]["Attributes"])
            made = True
        else:
            made = False
        if password is not None:
            self._cognito.admin_set_user_password(
                UserPoolId=pool, Username=name, Password=password, Permanent=True
            )
        organization = self._console.get(org_key(tenant), store.ORGANIZATION)
        title = organization["name"] if organization else tenant
        if organization is not None and user_id in {it.user_id for it in self.members(tenant)}:
            _explained(lambda: self.organizations.set_role(tenant, user_id, role))
        else:
            membership = Membership(tenant, user_id, role, title)
            store.add_member(self._console, membership, email or name, datetime.now(UTC))
        return AddedUser(name, user_id, made)

    def members(self, tenant: str) -> Sequence[Member]:
        return self.organizations.members(tenant)

    def remove(self, name: str, tenant: str) -> None:
        """End a membership; the user remains in the pool, and in other organisations."""
        user_id = self._find(name) or name
        _explained(lambda: self.organizations.remove(tenant, user_id))

    def invite(self, email: str, tenant: str, role: str) -> Invitation:
        if self._console.get(org_key(tenant), store.ORGANIZATION) is None:
            raise ToolError(f"organization {tenant!r} not found; found it with `pulsequeue org add`.")
        return self.organizations.invite(tenant, email, role, OPERATOR)

    def found(self, tenant: str, name: str) -> bool:
        """Found an organisation without members; returns False if it exists."""
        item = store.organization_item(tenant, name, OPERATOR, datetime.now(UTC))
        return self._console.write(store.founding(item))

    def organization(self, tenant: str) -> str | None:
        item = self._console.get(org_key(tenant), store.ORGANIZATION)
        return item["name"] if item else None

    def _find(self, name: str) -> str | None:
        try:
            found = self._cognito.admin_get_user(UserPoolId=self._pool(), Username=name)
        except self._cognito.exceptions.UserNotFoundException:
            return None
        return _sub(found["UserAttributes"])

    def _pool(self) -> str:
        pool = pool_id(self._environment)
        if pool is None:
            name = self._environment.names.user_pool
            raise ToolError(f"user pool {name} not found; deploy {self._environment.name} first.")
        return pool


def _sub(attributes: Sequence[object]) -> str:
    values = [it["Value"] for it in attributes if isinstance(it, dict) and it["Name"] == "sub"]
    return str(values[0])


def _explained(call: Callable[[], object]) -> None:
    try:
        call()
    except ProblemError as error:
        raise ToolError(str(error)) from error
