"""The claims of a token: tenant, role and scopes, from membership and from nothing else."""

from collections.abc import Mapping
from typing import Any

from services.shared.console import Console
from services.shared.http.identity import ROLE_CLAIM, SCOPES_CLAIM, TENANT_CLAIM
from services.shared.log_events import LogEvent
from services.shared.membership import Membership, chosen_tenant, current, memberships_of, user_pk
from services.shared.telemetry import Telemetry


def with_claims(event: dict[str, Any], console: Console, telemetry: Telemetry) -> dict[str, Any]:
    """Answer the pre-token-generation trigger (version 2) of the user pool."""
    user_id = event["request"]["userAttributes"]["sub"]
    items = console.list(user_pk(user_id))
    membership = current(memberships_of(items), chosen_tenant(items))
    telemetry.info(
        LogEvent.TOKEN_ISSUED, user_id=user_id, tenant_id=membership.tenant_id if membership else None
    )
    details = {"idTokenGeneration": _overrides(membership)}
    return {**event, "response": {"claimsAndScopeOverrideDetails": details}}


def _overrides(membership: Membership | None) -> Mapping[str, object]:
    values = {
        TENANT_CLAIM: membership.tenant_id if membership else "",
        ROLE_CLAIM: membership.role if membership else "",
        SCOPES_CLAIM: " ".join(sorted(membership.scopes)) if membership else "",
    }
    # What is not set is suppressed: no attribute of the user may stand in for it.
    return {
        "claimsToAddOrOverride": {name: value for name, value in values.items() if value},
        "claimsToSuppress": [name for name, value in values.items() if not value],
    }
