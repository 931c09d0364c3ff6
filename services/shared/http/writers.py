"""Who may write at this moment: membership is read again, and requests are counted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.shared.http import problems
from services.shared.http.identity import Caller, caller_of, require
from services.shared.http.routes import Route
from services.shared.membership import FindMembership, Memberships
from services.shared.rate_limit import RateLimiter


@dataclass(frozen=True, slots=True)
class Writers:
    memberships: Memberships
    rate_limiter: RateLimiter

    def identify(self, route: Route, claims: Mapping[str, Any] | None, now: datetime) -> Caller:
        """Return who may call the route, read or write, or refuse."""
        caller = caller_of(claims, now)
        require(route, caller)
        return caller if route.method == "GET" else self.admit(route, caller)

    def admit(self, route: Route, caller: Caller) -> Caller:
        """Return the caller with the role of this moment, or refuse one that may not or writes too often."""
        current = confirm(self.memberships.membership, route, caller)
        self.limit(caller.tenant_id, caller.user_id)
        return current

    def limit(self, tenant_id: str, user_id: str) -> None:
        """Count a write, or refuse it."""
        if seconds := self.rate_limiter.seconds_to_wait(tenant_id, user_id):
            raise problems.too_many(seconds)


def confirm(find: FindMembership, route: Route, caller: Caller) -> Caller:
    """Return the caller with the role of this moment, or refuse; a token may be five minutes old."""
    membership = find(caller.tenant_id, caller.user_id)
    if membership is None:
        raise problems.forbidden("The user is no longer a member of this organization.")
    current = replace(caller, role=membership.role, scopes=membership.scopes)
    require(route, current)
    return current
