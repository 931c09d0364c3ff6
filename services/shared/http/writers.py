"""Who may write at this moment: membership is read again, and requests are counted."""

from dataclasses import dataclass, replace

from services.shared.http import problems
from services.shared.http.identity import Caller, require
from services.shared.http.routes import Route
from services.shared.membership import Memberships
from services.shared.rate_limit import RateLimiter


@dataclass(frozen=True, slots=True)
class Writers:
    memberships: Memberships
    rate_limiter: RateLimiter

    def admit(self, route: Route, caller: Caller) -> Caller:
        """Return the caller with the role of this moment, or refuse; a token may be five minutes old."""
        membership = self.memberships.membership(caller.tenant_id, caller.user_id)
        if membership is None:
            raise problems.forbidden("The user is no longer a member of this organization.")
        current = replace(caller, role=membership.role, scopes=membership.scopes)
        require(route, current)
        self.limit(caller.tenant_id, caller.user_id)
        return current

    def limit(self, tenant_id: str, user_id: str) -> None:
        """Count a write, or refuse it."""
        if seconds := self.rate_limiter.seconds_to_wait(tenant_id, user_id):
            raise problems.too_many(seconds)
