"""The claims of a token: tenant, role and scopes, from membership and from nothing else."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from services.shared.console import Console
from services.shared.errors import TransientError
from services.shared.http.identity import (
    HAS_SECOND_FACTOR,
    ROLE_CLAIM,
    SCOPES_CLAIM,
    SECOND_FACTOR_CLAIM,
    TENANT_CLAIM,
)
from services.shared.http.roles import ADMIN
from services.shared.log_events import LogEvent
from services.shared.membership import Membership, chosen_tenant, current, memberships_of, user_pk
from services.shared.telemetry import Telemetry

FindSecondFactor: TypeAlias = Callable[[str, str], bool]
"""Takes the pool's id and a user's name: whether the pool asks for a second factor at every sign-in."""

_NONE: Final = "no"
_UNKNOWN: Final = "unknown"


def with_claims(
    event: dict[str, Any],
    console: Console,
    telemetry: Telemetry,
    has_second_factor: FindSecondFactor | None = None,
) -> dict[str, Any]:
    """Answer the pre-token-generation trigger (version 2) of the user pool.

    `has_second_factor` is given where administrators need one.
    """
    user_id = event["request"]["userAttributes"]["sub"]
    items = console.list(user_pk(user_id))
    membership = current(memberships_of(items), chosen_tenant(items))
    telemetry.info(
        LogEvent.TOKEN_ISSUED, user_id=user_id, tenant_id=membership.tenant_id if membership else None
    )
    factor = _factor(event, membership, has_second_factor, telemetry) if has_second_factor else ""
    details = {"idTokenGeneration": _overrides(membership, factor)}
    return {**event, "response": {"claimsAndScopeOverrideDetails": details}}


def _factor(
    event: Mapping[str, Any],
    membership: Membership | None,
    has_second_factor: FindSecondFactor,
    telemetry: Telemetry,
) -> str:
    """Look administrators up. Anyone else may be made one while the token is valid, and is then refused."""
    if membership is None or membership.role != ADMIN:
        return _UNKNOWN
    try:
        return HAS_SECOND_FACTOR if has_second_factor(event["userPoolId"], event["userName"]) else _NONE
    except TransientError as error:
        # No token at all would end the session. This one is refused, and replaced within five minutes.
        telemetry.warning(LogEvent.SECOND_FACTOR_UNKNOWN, why=str(error), user_id=membership.user_id)
        return _UNKNOWN


def _overrides(membership: Membership | None, factor: str) -> Mapping[str, object]:
    values = {
        TENANT_CLAIM: membership.tenant_id if membership else "",
        ROLE_CLAIM: membership.role if membership else "",
        SCOPES_CLAIM: " ".join(sorted(membership.scopes)) if membership else "",
        SECOND_FACTOR_CLAIM: factor,
    }
    # What is not set is suppressed: no attribute of the user may stand in for it.
    return {
        "claimsToAddOrOverride": {name: value for name, value in values.items() if value},
        "claimsToSuppress": [name for name, value in values.items() if not value],
    }
