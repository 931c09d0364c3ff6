"""Wires commands to AWS, once per process."""

from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import Field

from services.commands.api import build
from services.commands.service import Commands
from services.shared.adapters.clients import Clients
from services.shared.adapters.console_table import ConsoleTable
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.adapters.eventbridge import EventBridgeBus
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.http_wiring import entry, writers
from services.shared.receipts import Receipts
from services.shared.settings import FromEnvironment
from services.shared.wiring import utc_now


class Settings(FromEnvironment):
    bus_name: str = Field(alias="BUS_NAME", min_length=1)
    console_table: str = Field(alias="CONSOLE_TABLE", min_length=1)
    inventory_table: str = Field(alias="INVENTORY_TABLE", min_length=1)
    orders_table: str = Field(alias="ORDERS_TABLE", min_length=1)
    allowed_origins: str = Field(alias="ALLOWED_ORIGINS", default="")
    """Origins that CORS allows, separated by spaces."""


@cache
def commands() -> Callable[[Any, Any], dict[str, Any]]:
    settings = Settings.from_environment()
    telemetry = PowertoolsTelemetry("commands", settings.metrics_namespace)
    clients = Clients()
    dynamodb = clients.dynamodb()
    console = ConsoleTable(dynamodb, settings.console_table)
    api = build(
        Commands(
            receipts=Receipts(console),
            store=DynamoDBStore(
                dynamodb, inventory_table=settings.inventory_table, orders_table=settings.orders_table
            ),
            bus=EventBridgeBus(clients.events(), bus_name=settings.bus_name, source="pulsequeue.commands"),
            telemetry=telemetry,
            clock=utc_now,
        ),
        writers(dynamodb, settings.console_table),
        allowed_origins=settings.allowed_origins.split(),
        clock=utc_now,
        telemetry=telemetry,
    )
    return entry(api, telemetry)
