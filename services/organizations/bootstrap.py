"""Wires organisations to AWS, once per process; each function imports only what it needs."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from services.organizations.settings import OrganizationsSettings, TriggerSettings
from services.shared.adapters.clients import Clients
from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.telemetry import PowertoolsTelemetry

Entry = Callable[[Any, Any], dict[str, Any]]


@cache
def claims() -> Entry:
    from services.organizations.claims import with_claims  # noqa: PLC0415 - the API does not need it

    settings, clients = TriggerSettings.from_environment(), Clients()
    telemetry = PowertoolsTelemetry("claims", settings.metrics_namespace)
    console = ConsoleTable(clients.dynamodb(), settings.console_table)
    has_second_factor = None
    if settings.admins_need_second_factor:
        from services.organizations.cognito import second_factor  # noqa: PLC0415 - most environments need it not

        has_second_factor = partial(second_factor, clients.cognito_idp())

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return with_claims(event, console, telemetry, has_second_factor)

    return invoke


@cache
def organizations() -> Entry:
    import secrets  # noqa: PLC0415 - the trigger needs none of this
    from uuid import uuid4  # noqa: PLC0415

    from services.organizations.api import Services, build  # noqa: PLC0415
    from services.organizations.cognito import CognitoMachineUsers  # noqa: PLC0415
    from services.organizations.machines import Machines  # noqa: PLC0415
    from services.organizations.service import Organizations  # noqa: PLC0415
    from services.shared.http_wiring import entry, writers  # noqa: PLC0415
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
        writers(dynamodb, settings.console_table),
        allowed_origins=settings.allowed_origins.split(),
        clock=utc_now,
        telemetry=telemetry,
    )
    return entry(api, telemetry)
