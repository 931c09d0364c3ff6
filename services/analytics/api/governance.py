"""Governance: which role may read which metric, under which rules. Every read of the API is checked here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final, Literal, TypeAlias

from psycopg.types.json import Jsonb

from services.shared.database import Connection
from services.shared.http.identity import Caller
from services.shared.http.problems import forbidden
from services.shared.http.roles import EDITOR, MACHINE, Role


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The rules for one metric, role and tenant, now."""

    currency: str
    """The tenant's reporting currency."""
    audited: bool
    smallest_group: int
    hides_customers: bool
    """A rule of orders, which holds wherever customers are named."""
    as_of: datetime | None
    version: str
    """Differs whenever a response might."""


_RULES: Final = """
SELECT
  (SELECT reporting_currency FROM tenants WHERE tenant_id = %(tenant)s),
  CASE WHEN known THEN (
    SELECT visible FROM role_metric_visibility
    WHERE tenant_id = %(tenant)s AND role = %(role)s AND metric = %(metric)s
  ) ELSE (SELECT visible FROM default_visibility() WHERE role = %(role)s AND metric = %(metric)s) END,
  CASE WHEN known THEN (
    SELECT coalesce(jsonb_object_agg(rule, setting), '{}') FROM governance_rules
    WHERE tenant_id = %(tenant)s AND (metric = %(metric)s OR rule = 'customers_hidden_from')
  ) ELSE (
    SELECT coalesce(jsonb_object_agg(rule, setting), '{}') FROM default_rules()
    WHERE metric = %(metric)s OR rule = 'customers_hidden_from'
  ) END,
  (SELECT max(last_event_at) FROM projection_checkpoints WHERE tenant_id = %(tenant)s),
  (SELECT coalesce(jsonb_agg(jsonb_build_array(projection, events, last_event_at, updated_at)
                             ORDER BY projection), '[]')::text
   FROM projection_checkpoints WHERE tenant_id = %(tenant)s)
FROM (SELECT EXISTS (SELECT FROM tenants WHERE tenant_id = %(tenant)s) AS known) AS tenant
"""
# A tenant without events has no row yet: the defaults hold for it, and its responses are empty.
_DEFAULT_CURRENCY: Final = "USD"


def _seen_as(caller: Caller) -> Role:
    """Return the role whose visibility holds: a machine, which its scopes limit, sees what an editor sees."""
    return EDITOR if caller.role == MACHINE else caller.role


def load_rules(connection: Connection, caller: Caller, metric: str) -> AccessRules:
    """Return the rules; a metric that is not listed as visible to the role is forbidden."""
    row = connection.execute(
        _RULES, {"tenant": caller.tenant_id, "role": _seen_as(caller), "metric": metric}
    ).fetchone()
    currency, visible, rules, as_of, checkpoints = row or (None, None, {}, None, "")
    if not visible:
        raise forbidden(
            f"The role {caller.role} cannot read the metric {metric}. "
            "Ask an administrator of your tenant for access."
        )
    return AccessRules(
        currency=currency or _DEFAULT_CURRENCY,
        audited="audited" in rules,
        smallest_group=ceil(rules.get("smallest_group", 0)),
        hides_customers=_seen_as(caller) in rules.get("customers_hidden_from", ()),
        as_of=as_of,
        version=f"{currency} {sorted(rules.items())} {checkpoints}",
    )


_RECORD: Final = """
WITH seen AS (
  INSERT INTO users (tenant_id, user_id, role, last_seen_at)
  VALUES (%(tenant)s, %(user)s, %(seen_as)s, %(now)s)
  ON CONFLICT (tenant_id, user_id)
  DO UPDATE SET role = excluded.role, last_seen_at = excluded.last_seen_at
)
INSERT INTO audit_logs (tenant_id, user_id, role, action, metric, details)
VALUES (%(tenant)s, %(user)s, %(role)s, %(action)s, %(metric)s, %(details)s)
"""

Action: TypeAlias = Literal["read", "change"]


def record(  # noqa: PLR0913 - the columns of an entry
    connection: Connection,
    caller: Caller,
    metric: str,
    details: Mapping[str, Any],
    now: datetime,
    *,
    action: Action = "read",
) -> None:
    """Write an audit entry. Call it last in a transaction: other entries of the tenant wait for its end."""
    connection.execute(
        _RECORD,
        {
            "tenant": caller.tenant_id,
            "user": caller.user_id,
            "role": caller.role,
            "seen_as": _seen_as(caller),
            "action": action,
            "metric": metric,
            "details": Jsonb(details),
            "now": now,
        },
    )
