"""What the bootstraps of API functions are made of."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.dynamodb_rate_limit import DynamoDBRateLimiter
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.http.app import HttpApi
from services.shared.http.writers import Writers
from services.shared.membership import ConsoleMemberships
from services.shared.rate_limit import WRITES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def writers(dynamodb: "DynamoDBClient", console_table: str) -> Writers:
    """Read membership from the console's table, and count writes there."""
    return Writers(
        ConsoleMemberships(ConsoleTable(dynamodb, console_table)),
        DynamoDBRateLimiter(dynamodb, console_table, WRITES, time.time),
    )


def entry(api: HttpApi[Any], telemetry: PowertoolsTelemetry) -> Callable[[Any, Any], dict[str, Any]]:
    """Make the function that Lambda calls."""

    def invoke(event: dict[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return api(event, context)

    return invoke
