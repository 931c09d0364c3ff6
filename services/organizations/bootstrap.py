"""Wires organisations to AWS, once per process; each function imports only what it needs."""

from collections.abc import Callable
from functools import cache
from typing import Any

from services.organizations.settings import ClaimsSettings
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
