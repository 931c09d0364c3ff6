"""Who may write at this moment: membership is read again, and requests are counted."""

from dataclasses import dataclass, replace

from services.shared.http import problems
from services.shared.http.identity import Caller, require
from services.shared.http.routes import Route
from services.shared.membership import FindMembership, Memberships
from services.shared.rate_limit import RateLimiter


@dataclass(frozen=True, slots=True)
class Writers:
    memberships: Memberships
    rate_limiter: RateLimiter

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
