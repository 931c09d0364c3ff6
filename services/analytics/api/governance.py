"""Who sees what, and what is special about it. Every question passes here, and here alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final

from psycopg.types.json import Jsonb

from services.analytics.db.database import Connection
from services.shared.http.identity import Caller
from services.shared.http.problems import forbidden


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one metric, one role, one tenant, now."""

    currency: str
    """What the tenant's recurring revenue is told in."""
    audited: bool
    smallest_group: int
    hides_customers: bool
    as_of: datetime | None
    version: str
    """Differs whenever an answer might."""


_TERMS: Final = """
SELECT
  (SELECT reporting_currency FROM tenants WHERE tenant_id = %(tenant)s),
  (SELECT visible FROM role_metric_visibility
   WHERE tenant_id = %(tenant)s AND role = %(role)s AND metric = %(metric)s),
  (SELECT coalesce(jsonb_object_agg(rule, setting), '{}') FROM governance_rules
   WHERE tenant_id = %(tenant)s AND metric = %(metric)s),
  (SELECT max(last_event_at) FROM projection_checkpoints WHERE tenant_id = %(tenant)s),
  (SELECT coalesce(jsonb_agg(jsonb_build_array(projection, events, last_event_at, updated_at)
                             ORDER BY projection), '[]')::text
   FROM projection_checkpoints WHERE tenant_id = %(tenant)s)
"""


def terms(connection: Connection, caller: Caller, metric: str) -> Terms:
    """Return what holds, or refuse: what is not listed as visible is not seen."""
    row = connection.execute(
        _TERMS, {"tenant": caller.tenant_id, "role": caller.role, "metric": metric}
    ).fetchone()
    currency, visible, rules, as_of, projected = row or (None, None, {}, None, "")
    if not visible:
        raise forbidden(
            f"Ask whoever administers your tenant to let the role {caller.role} see the metric {metric}."
        )
    return Terms(
        currency=currency,
        audited="audited" in rules,
        smallest_group=ceil(rules.get("smallest_group", 0)),
        hides_customers=caller.role in rules.get("customers_hidden_from", ()),
        as_of=as_of,
        version=f"{currency} {sorted(rules.items())} {projected}",
    )


_NOTE: Final = """
WITH seen AS (
  INSERT INTO users (tenant_id, user_id, role, last_seen_at)
  VALUES (%(tenant)s, %(user)s, %(role)s, %(now)s)
  ON CONFLICT (tenant_id, user_id)
  DO UPDATE SET role = excluded.role, last_seen_at = excluded.last_seen_at
)
INSERT INTO audit_logs (tenant_id, user_id, role, action, metric, details)
VALUES (%(tenant)s, %(user)s, %(role)s, 'read', %(metric)s, %(details)s)
"""


def note(
    connection: Connection, caller: Caller, metric: str, details: Mapping[str, Any], now: datetime
) -> None:
    """Put on record who read what. Comes last in a transaction: until its end, others of the tenant wait."""
    connection.execute(
        _NOTE,
        {
            "tenant": caller.tenant_id,
            "user": caller.user_id,
            "role": caller.role,
            "metric": metric,
            "details": Jsonb(details),
            "now": now,
        },
    )
