"""Database commands of operators and deployments; the database itself is not reachable from outside."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import psycopg
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from services.analytics.admin import migrator
from services.analytics.admin.imports import ImportCommand, Imports
from services.analytics.admin.migrator import Migration, Step
from services.analytics.admin.reset import empty
from services.analytics.model.date_ranges import midnight
from services.analytics.model.orders import Subject
from services.analytics.projector.service import refold_customers
from services.shared.database import OWNER, Connection, Database
from services.shared.errors import PulseQueueError, StoreUnavailableError
from services.shared.events import Currency, Identifier
from services.shared.log_events import LogEvent
from services.shared.messages import explain
from services.shared.telemetry import Telemetry

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


class UnknownCommandError(PulseQueueError):
    """The function was invoked with something that is no command."""


def _only_a_day(value: object) -> object:
    # pydantic would also take a string of digits for a Unix time.
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("must be a day such as 2026-01-31")


class MixedCurrencyError(PulseQueueError):
    """Sums in one currency would be reported in another."""


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Migrate(_Command):
    action: Literal["migrate"]


class Contract(_Command):
    """Migrate, and apply what removes things that only earlier releases use."""

    action: Literal["contract"]


class Status(_Command):
    action: Literal["status"]


class Empty(_Command):
    """Empty the tables derived from events; reference data and the audit log stay."""

    action: Literal["empty"]
    currencies: Mapping[Identifier, Currency] = Field(default_factory=dict)
    """Tenants whose reporting currency changes with it."""


class SetCurrency(_Command):
    """Set a tenant's reporting currency (before its first subscription)."""

    action: Literal["setCurrency"]
    tenant_id: Identifier
    currency: Currency


class SetRate(_Command):
    """Set the exchange rate to the tenant's reporting currency from a day on; update what it affects."""

    action: Literal["setRate"]
    tenant_id: Identifier
    currency: Currency
    valid_from: Annotated[date, BeforeValidator(_only_a_day)]
    rate: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=10)]


DatabaseCommand = Migrate | Contract | Status | Empty | SetCurrency | SetRate
Command = Annotated[DatabaseCommand | ImportCommand, Field(discriminator="action")]
_COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)


class AdminCommands:
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
        self._imports = Imports(owner)

    def run(self, raw: object) -> Mapping[str, Any]:
        """Run a command and return its result."""
        try:
            command = _COMMANDS.validate_python(raw)
        except ValidationError as error:
            raise UnknownCommandError(explain(error)) from error
        result = self._imports.run(command) if isinstance(command, ImportCommand) else self._run(command)
        # Without the events of a file: they name customers, and are many.
        logged = command.model_dump(mode="json", exclude={"events"})
        self._telemetry.info(LogEvent.DATABASE_COMMAND, **logged)
        return result

    def _run(self, command: DatabaseCommand) -> Mapping[str, Any]:
        match command:
            case Migrate():
                return self._migrate(contract=False)
            case Contract():
                return self._migrate(contract=True)
            case Status():
                return self._status()
            case Empty():
                with self._owner.transaction() as session:
                    empty(session)
                    for tenant_id, currency in command.currencies.items():
                        session.execute(_SET_CURRENCY, [tenant_id, currency])
                return {"emptied": True}
            case SetCurrency():
                self._refuse_mixed_currency(command)
                return self._change(_SET_CURRENCY, command.tenant_id, command.currency)
            case SetRate():
                changed = self._change(
                    _SET_RATE, command.tenant_id, command.currency, command.valid_from, command.rate
                )
                return {**changed, "customers": self._refold(command)}

    def _migrate(self, *, contract: bool) -> Mapping[str, Any]:
        self._ensure_roles()
        with self._owner.connection() as owner:
            applied = migrator.migrate(owner, self._migrations, contract=contract)
        return {"applied": _steps(applied)}

    def _ensure_roles(self) -> None:
        """Create the roles as the administrator, but only when one is missing.

        PostgreSQL 16 makes whoever creates a role a member of it. The roles are members of rds_iam, so
        that from then on RDS refuses the administrator's password.
        """
        refused: StoreUnavailableError | None = None
        try:
            with self._owner.connection() as owner:
                if migrator.has_roles(owner):
                    return
        except StoreUnavailableError as error:
            # A role that does not exist is refused like one with a wrong token.
            refused = error
        try:
            administrator = self._administrator()
        except psycopg.OperationalError as error:
            reasons = [f"as {OWNER}: {refused}"] if refused else ["a role is missing"]
            reasons.append(f"as the administrator: {str(error).strip().partition(chr(10))[0]}")
            raise StoreUnavailableError(f"nobody can sign in to migrate: {'; '.join(reasons)}") from error
        with closing(administrator):
            migrator.ensure_roles(administrator)

    def _status(self) -> Mapping[str, Any]:
        with self._owner.connection() as owner:
            steps = migrator.status(owner, self._migrations)
            migrated = any(step.state is not migrator.State.PENDING for step in steps)
            tenants = owner.execute(_TENANTS).fetchall() if migrated else []
        return {
            "migrations": _steps(steps),
            "tenants": [
                {
                    "tenantId": tenant,
                    "currency": currency,
                    "events": events,
                    "imported": imported,
                    "lastEventAt": last,
                }
                for tenant, currency, events, imported, last in tenants
            ],
        }

    def _refuse_mixed_currency(self, command: SetCurrency) -> None:
        with self._owner.transaction() as session:
            other = session.execute(_OTHER_CURRENCY, [command.tenant_id, command.currency]).fetchone()
        if other:
            raise MixedCurrencyError(
                f"{command.tenant_id} has recurring revenue in {other[0]}; to report in {command.currency}, "
                f"run `pulsequeue db rebuild --currency {command.tenant_id}={command.currency}`"
            )

    def _change(self, statement: bytes, *parameters: object) -> Mapping[str, Any]:
        with self._owner.transaction() as session:
            session.execute(
                "INSERT INTO tenants (tenant_id) VALUES (%s) ON CONFLICT DO NOTHING", parameters[:1]
            )
            session.execute(statement, parameters)
        return {"changed": True}

    def _refold(self, command: SetRate) -> int:
        """Bring the customers up to date whose terms began under the rate; return how many there are."""
        count, last = 0, ""
        while True:
            with self._owner.transaction() as session:
                rows = session.execute(
                    _AFFECTED,
                    [command.tenant_id, command.currency, midnight(command.valid_from), last, _AT_ONCE],
                ).fetchall()
                if not rows:
                    return count
                refold_customers(
                    session, [Subject(command.tenant_id, "subscription", customer) for (customer,) in rows]
                )
                session.execute(_NEW_VERSION, [command.tenant_id])
            count, last = count + len(rows), rows[-1][0]


def _steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{**asdict(step), "state": step.state.value} for step in steps]


_SET_CURRENCY = b"""
INSERT INTO tenants (tenant_id, reporting_currency) VALUES (%s, %s)
ON CONFLICT (tenant_id) DO UPDATE SET reporting_currency = excluded.reporting_currency
"""
_OTHER_CURRENCY = b"""
SELECT reporting_currency FROM tenants t
WHERE tenant_id = %s AND reporting_currency <> %s
  AND EXISTS (SELECT FROM subscription_periods p WHERE p.tenant_id = t.tenant_id)
"""
_SET_RATE = b"""
INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES (%s, %s, %s, %s)
ON CONFLICT (tenant_id, currency, valid_from) DO UPDATE SET rate = excluded.rate
"""
_AT_ONCE: Final = 500
_AFFECTED = b"""
SELECT DISTINCT customer_id FROM subscription_periods
WHERE tenant_id = %s AND currency = %s AND starts_at >= %s AND customer_id > %s
ORDER BY customer_id LIMIT %s
"""
# Cached responses are valid for a version of the checkpoints, which the trigger on updates changes.
_NEW_VERSION = b"UPDATE projection_checkpoints SET events = events WHERE tenant_id = %s"
_TENANTS = b"""
SELECT tenant_id, reporting_currency, coalesce(events, 0),
       (SELECT coalesce(sum(event_count), 0)::bigint FROM import_chunks c
        WHERE c.tenant_id = t.tenant_id AND applied),
       to_char(last_event_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
FROM tenants t LEFT JOIN projection_checkpoints USING (tenant_id) ORDER BY tenant_id
"""
