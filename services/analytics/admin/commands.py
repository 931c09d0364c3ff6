"""What operators and deployments ask of the database, which nobody reaches from outside."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from services.analytics.admin import migrator
from services.analytics.admin.migrator import Migration, Step
from services.analytics.admin.reset import empty
from services.analytics.db.database import Connection, Database
from services.shared.errors import PulseQueueError
from services.shared.events import Currency, Identifier
from services.shared.log_events import LogEvent
from services.shared.messages import explain
from services.shared.telemetry import Telemetry

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


class NotAnUpkeepRequestError(PulseQueueError):
    """Somebody invoked the function with something it does not know."""


def _only_a_day(value: object) -> object:
    # pydantic would also take a string of digits for a Unix time.
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("must be a day such as 2026-01-31")


class MixedMoneyError(PulseQueueError):
    """What was added up in one currency would be told in another."""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Migrate(_Request):
    action: Literal["migrate"]


class Status(_Request):
    action: Literal["status"]


class Empty(_Request):
    """Remove what follows from events; what people brought in, and the audit log, stay."""

    action: Literal["empty"]
    currencies: Mapping[Identifier, Currency] = Field(default_factory=dict)
    """Of tenants whose recurring revenue is to be told in another currency from now on."""


class SetCurrency(_Request):
    """Choose what a tenant's recurring revenue is told in, as long as there is none."""

    action: Literal["setCurrency"]
    tenant_id: Identifier
    currency: Currency


class SetRate(_Request):
    """Say what a currency is worth in the tenant's own from a day on."""

    action: Literal["setRate"]
    tenant_id: Identifier
    currency: Currency
    valid_from: Annotated[date, BeforeValidator(_only_a_day)]
    rate: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=10)]


Request = Annotated[Migrate | Status | Empty | SetCurrency | SetRate, Field(discriminator="action")]
_REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)


class Upkeep:
    def __init__(
        self,
        owner: Database,
        administrator: Callable[[], Connection],
        telemetry: Telemetry,
        migrations: Sequence[Migration],
    ) -> None:
        self._owner = owner
        self._administrator = administrator
        self._telemetry = telemetry
        self._migrations = migrations

    def perform(self, raw: object) -> Mapping[str, Any]:
        """Do what is asked, and tell what was done."""
        try:
            request = _REQUESTS.validate_python(raw)
        except ValidationError as error:
            raise NotAnUpkeepRequestError(explain(error)) from error
        done = self._perform(request)
        self._telemetry.info(LogEvent.DATABASE_COMMAND, **request.model_dump(mode="json"))
        return done

    def _perform(self, request: Request) -> Mapping[str, Any]:
        match request:
            case Migrate():
                return self._migrate()
            case Status():
                return self._status()
            case Empty():
                with self._owner.transaction() as session:
                    empty(session)
                    for tenant_id, currency in request.currencies.items():
                        session.execute(_SET_CURRENCY, [tenant_id, currency])
                return {"emptied": True}
            case SetCurrency():
                self._refuse_mixed_money(request)
                return self._change(_SET_CURRENCY, request.tenant_id, request.currency)
            case SetRate():
                return self._change(
                    _SET_RATE, request.tenant_id, request.currency, request.valid_from, request.rate
                )

    def _migrate(self) -> Mapping[str, Any]:
        with closing(self._administrator()) as administrator:
            migrator.ensure_roles(administrator)
        with self._owner.connection() as owner:
            applied = migrator.migrate(owner, self._migrations)
        return {"applied": _told(applied)}

    def _status(self) -> Mapping[str, Any]:
        with self._owner.connection() as owner:
            steps = migrator.status(owner, self._migrations)
            there = any(step.state is not migrator.State.PENDING for step in steps)
            heard = owner.execute(_HEARD).fetchall() if there else []
        return {
            "migrations": _told(steps),
            "tenants": [
                {"tenantId": tenant, "currency": currency, "events": events, "lastEventAt": last}
                for tenant, currency, events, last in heard
            ],
        }

    def _refuse_mixed_money(self, request: SetCurrency) -> None:
        with self._owner.transaction() as session:
            told = session.execute(_TOLD_IN, [request.tenant_id, request.currency]).fetchone()
        if told:
            raise MixedMoneyError(
                f"recurring revenue of {request.tenant_id} was added up in {told[0]}; it can be told in "
                f"{request.currency} when all of it is added up again (db rebuild with a currency)"
            )

    def _change(self, statement: bytes, *parameters: object) -> Mapping[str, Any]:
        with self._owner.transaction() as session:
            session.execute(
                "INSERT INTO tenants (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", parameters[:1]
            )
            session.execute(statement, parameters)
        return {"changed": True}


def _told(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{**asdict(step), "state": step.state.value} for step in steps]


_SET_CURRENCY = b"""
INSERT INTO tenants (tenant_id, reporting_currency) VALUES (%s, %s)
ON CONFLICT (tenant_id) DO UPDATE SET reporting_currency = excluded.reporting_currency
"""
_TOLD_IN = b"""
SELECT reporting_currency FROM tenants t
WHERE tenant_id = %s AND reporting_currency <> %s
  AND EXISTS (SELECT FROM subscription_periods p WHERE p.tenant_id = t.tenant_id)
"""
_SET_RATE = b"""
INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, %s, %s, %s)
ON CONFLICT (tenant_id, currency, valid_from) DO UPDATE SET rate = excluded.rate
"""
_HEARD = b"""
SELECT tenant_id, reporting_currency, coalesce(events, 0),
       to_char(last_event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
FROM tenants LEFT JOIN projection_checkpoints USING (tenant_id) ORDER BY tenant_id
"""
