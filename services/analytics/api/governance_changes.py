"""Governance over HTTP: administrators read and change who sees which metric, under which rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from psycopg.types.json import Jsonb
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator
from pydantic.alias_generators import to_camel

from services.analytics.api.governance import record
from services.analytics.api.responses import Governance, MetricGovernance
from services.shared.database import Connection
from services.shared.http.caching import Caching
from services.shared.http.identity import Caller
from services.shared.http.params import NoParams, RequestParams
from services.shared.http.problems import bad_parameters, invalid_parameter
from services.shared.http.roles import ADMINS, ROLES, Role
from services.shared.http.routes import Route

MAX_BODY_BYTES: Final = 8 * 1_024
MAX_SMALLEST_GROUP: Final = 1_000

Metric: TypeAlias = Literal["orders", "mrr", "churn", "cohorts", "summary", "pipeline", "sales"]
PersonRole: TypeAlias = Literal["admin", "editor", "viewer"]

_AUDITED: Final = "audited"
_SMALLEST_GROUP: Final = "smallest_group"
_CUSTOMERS_HIDDEN_FROM: Final = "customers_hidden_from"
_ONLY_OF: Final = {_SMALLEST_GROUP: "cohorts", _CUSTOMERS_HIDDEN_FROM: "orders"}
"""Rules that have an effect on one metric alone."""


def _in_order(roles: tuple[PersonRole, ...]) -> tuple[Role, ...]:
    return tuple(role for role in ROLES if role in roles)


Roles = Annotated[tuple[PersonRole, ...], Field(max_length=len(ROLES)), AfterValidator(_in_order)]


class MetricParams(RequestParams):
    metric: Annotated[Metric, Field(description="The metric whose governance changes.")]


class GovernanceChange(BaseModel):
    """What is to change; members that are left out stay as they are."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )

    visible_to: Annotated[Roles, Field(description="Who may read the metric; nobody else.")] = ()
    audited: Annotated[StrictBool, Field(description="Whether each read is recorded.")] = False
    smallest_group: Annotated[
        Annotated[StrictInt, Field(ge=1, le=MAX_SMALLEST_GROUP)] | None,
        Field(description="Of cohorts: smaller groups are withheld; null withholds none."),
    ] = None
    customers_hidden_from: Annotated[
        Roles, Field(description="Of orders: the roles that see no customers, wherever they are named.")
    ] = ()

    @model_validator(mode="after")
    def _changes_something(self) -> "GovernanceChange":
        if not self.model_fields_set:
            raise ValueError("must have at least one member to change")
        return self


@dataclass(frozen=True, kw_only=True)
class GovernanceRoute(Route):
    params_model: type[RequestParams] = NoParams
    caching: Caching = Caching.NEVER
    roles: Sequence[Role] = ADMINS
    counted: bool = False
    """Changes are rare, and each waits for the one before it."""


ROUTES: Final = (
    GovernanceRoute(
        path="/api/governance",
        summary="Who sees which metric, and under which rules",
        response_model=Governance,
    ),
    GovernanceRoute(
        method="PATCH",
        path="/api/governance/{metric}",
        summary="Change who sees a metric, and its rules",
        params_model=MetricParams,
        body_model=GovernanceChange,
        response_model=MetricGovernance,
    ),
)


_READ: Final = """
WITH known AS (SELECT FROM tenants WHERE tenant_id = %(tenant)s),
visibility AS (
  SELECT metric, role FROM role_metric_visibility WHERE tenant_id = %(tenant)s AND visible
  UNION ALL
  SELECT metric, role FROM default_visibility() WHERE visible AND NOT EXISTS (SELECT FROM known)
),
rules AS (
  SELECT metric, rule, setting FROM governance_rules WHERE tenant_id = %(tenant)s
  UNION ALL
  SELECT metric, rule, setting FROM default_rules() WHERE NOT EXISTS (SELECT FROM known)
)
SELECT metric, coalesce((SELECT array_agg(role) FROM visibility AS v WHERE v.metric = m.metric), '{}'),
       coalesce((SELECT jsonb_object_agg(rule, setting) FROM rules AS r WHERE r.metric = m.metric), '{}')
FROM (SELECT DISTINCT metric FROM default_visibility()) AS m
ORDER BY metric
"""


def read(connection: Connection, tenant_id: str) -> Governance:
    rows = connection.execute(_READ, {"tenant": tenant_id}).fetchall()
    return Governance(metrics=[_governance(metric, roles, rules) for metric, roles, rules in rows])


def _governance(metric: str, roles: Sequence[Role], rules: Mapping[str, Any]) -> MetricGovernance:
    hidden_from = rules.get(_CUSTOMERS_HIDDEN_FROM, ())
    return MetricGovernance(
        metric=metric,
        visible_to=[role for role in ROLES if role in roles],
        audited=_AUDITED in rules,
        smallest_group=rules.get(_SMALLEST_GROUP),
        customers_hidden_from=[role for role in ROLES if role in hidden_from],
    )


def change(
    connection: Connection, caller: Caller, metric: Metric, changes: GovernanceChange, now: datetime
) -> MetricGovernance:
    """Change the rules of a metric and record who changed what; one that changes nothing is not recorded."""
    rules = {name: getattr(changes, name) for name in _ONLY_OF if name in changes.model_fields_set}
    _refuse_rules_without_effect(metric, rules)
    tenant_id = caller.tenant_id
    # Changes of a tenant wait for each other, so that what each records as "before" is true.
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('governance ' || %s, 0))", [tenant_id])
    connection.execute("INSERT INTO tenants (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", [tenant_id])
    before = _of(connection, tenant_id, metric)
    if "visible_to" in changes.model_fields_set:
        _set_visible(connection, tenant_id, metric, changes.visible_to)
    if "audited" in changes.model_fields_set:
        rules[_AUDITED] = changes.audited
    for name, setting in rules.items():
        _set_rule(connection, tenant_id, metric, name, setting)
    after = _of(connection, tenant_id, metric)
    if after != before:
        details = {"before": before.model_dump(mode="json"), "after": after.model_dump(mode="json")}
        record(connection, caller, metric, details, now, action="change")
    return after


def _refuse_rules_without_effect(metric: Metric, rules: Mapping[str, object]) -> None:
    errors = [
        invalid_parameter(to_camel(name), f"is a rule of {_ONLY_OF[name]} alone")
        for name, setting in rules.items()
        if setting and _ONLY_OF[name] != metric
    ]
    if errors:
        raise bad_parameters(*errors)


def _of(connection: Connection, tenant_id: str, metric: Metric) -> MetricGovernance:
    return next(it for it in read(connection, tenant_id).metrics if it.metric == metric)


_SET_VISIBLE: Final = """
INSERT INTO role_metric_visibility (tenant_id, role, metric, visible)
SELECT %(tenant)s, role, %(metric)s, role = ANY(%(visible_to)s) FROM unnest(%(roles)s::text[]) AS role
ON CONFLICT (tenant_id, role, metric) DO UPDATE SET visible = excluded.visible
"""


def _set_visible(connection: Connection, tenant_id: str, metric: Metric, roles: Sequence[Role]) -> None:
    connection.execute(
        _SET_VISIBLE,
        {"tenant": tenant_id, "metric": metric, "visible_to": list(roles), "roles": list(ROLES)},
    )


_SET_RULE: Final = """
INSERT INTO governance_rules (tenant_id, metric, rule, setting)
VALUES (%(tenant)s, %(metric)s, %(rule)s, %(setting)s)
ON CONFLICT (tenant_id, metric, rule) DO UPDATE SET setting = excluded.setting
"""
_DELETE_RULE: Final = """
DELETE FROM governance_rules WHERE tenant_id = %(tenant)s AND metric = %(metric)s AND rule = %(rule)s
"""


def _set_rule(connection: Connection, tenant_id: str, metric: Metric, rule: str, setting: object) -> None:
    values = {"tenant": tenant_id, "metric": metric, "rule": rule}
    if not setting:
        connection.execute(_DELETE_RULE, values)
        return
    # That reads are audited has no setting.
    stored = None if rule == _AUDITED else setting
    connection.execute(_SET_RULE, {**values, "setting": Jsonb(stored)})
