"""Wires organisations to AWS, once per process; each function imports only what it needs."""

from collections.abc import Callable
from functools import cache
from typing import Any

from services.organizations.settings import ClaimsSettings, OrganizationsSettings
from services.shared.adapters.clients import Clients
from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.telemetry import PowertoolsTelemetry

Entry = Callable[[Any, Any], dict[str, Any]]


@cache
def claims() -> Entry:
    from services.organizations.claims import with_claims  # noqa: PLC0415 - the API does not need it

    settings = ClaimsSettings.from_environment()
    telemetry = PowertoolsTelemetry("claims", settings.metrics_namespace)
    console = ConsoleTable(Clients().dynamodb(), settings.console_table)

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return with_claims(event, console, telemetry)

    return invoke


@cache
def organizations() -> Entry:
    import secrets  # noqa: PLC0415 - the trigger needs none of this
    import time  # noqa: PLC0415
    from uuid import uuid4  # noqa: PLC0415

    from services.organizations.api import Services, build  # noqa: PLC0415
    from services.organizations.cognito import CognitoMachineUsers  # noqa: PLC0415
    from services.organizations.machines import Machines  # noqa: PLC0415
    from services.organizations.service import Organizations  # noqa: PLC0415
    from services.shared.adapters.dynamodb_rate_limit import DynamoDBRateLimiter  # noqa: PLC0415
    from services.shared.http.writers import Writers  # noqa: PLC0415
    from services.shared.membership import ConsoleMemberships  # noqa: PLC0415
    from services.shared.rate_limit import WRITES  # noqa: PLC0415
    from services.shared.wiring import utc_now  # noqa: PLC0415

    settings = OrganizationsSettings.from_environment()
    telemetry = PowertoolsTelemetry("organizations", settings.metrics_namespace)
    clients = Clients()
    dynamodb = clients.dynamodb()
    console = ConsoleTable(dynamodb, settings.console_table)

    def new_id() -> str:
        return uuid4().hex[:16]

    def new_secret() -> str:
        # Of every class of characters that the pool asks of a password.
        return f"Aa1!{secrets.token_urlsafe(32)}"

    api = build(
        Services(
            organizations=Organizations(
                console=console,
                clock=utc_now,
                new_id=new_id,
                new_secret=lambda: secrets.token_urlsafe(32),
            ),
            machines=Machines(
                console=console,
                users=CognitoMachineUsers(clients.cognito_idp(), settings.user_pool_id),
                clock=utc_now,
                new_id=new_id,
                new_secret=new_secret,
            ),
            founding_allowed=settings.founding_allowed,
        ),
        Writers(
            ConsoleMemberships(console),
            DynamoDBRateLimiter(dynamodb, settings.console_table, WRITES, time.time),
        ),
        allowed_origins=settings.allowed_origins.split(),
        clock=utc_now,
        telemetry=telemetry,
    )

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return api(event, context)

    return invoke
