"""Builds the functions of analytics once per process; each imports only what it needs."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from services.analytics.api.unprojected import FindOrder, UnprojectedOrder, find_unprojected
from services.analytics.settings import ApiSettings, MigratorSettings, ProjectorSettings
from services.shared.adapters.clients import Clients
from services.shared.adapters.rds_iam import iam_password
from services.shared.adapters.rotated_secret import rotated_secret
from services.shared.adapters.telemetry import PowertoolsTelemetry
from services.shared.database import (
    API,
    OWNER,
    PROJECTOR,
    WAKING_SECONDS,
    Connection,
    Database,
    DatabaseSettings,
    administrator,
    connector,
)
from services.shared.ledger import Key

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from services.shared.adapters.dynamodb_store import DynamoDBStore
    from services.shared.membership import FindMembership, Membership


def _database(settings: DatabaseSettings, user: str) -> Database:
    return Database(connector(settings.conninfo(user), iam_password(settings, user)))


@cache
def projector() -> Callable[[Any, Any], Any]:
    from services.analytics.projector.service import Projector  # noqa: PLC0415
    from services.shared.events import CATALOGUE  # noqa: PLC0415
    from services.shared.wiring import behind_queue  # noqa: PLC0415

    settings = ProjectorSettings.from_environment()
    telemetry = PowertoolsTelemetry("projector", settings.metrics_namespace)
    service = Projector(_database(settings, PROJECTOR), telemetry)
    return behind_queue(settings, Clients(), telemetry, CATALOGUE, service.handle)


@cache
def analytics() -> Callable[[Mapping[str, Any], object], dict[str, Any]]:
    from datetime import UTC, datetime  # noqa: PLC0415

    from services.analytics.api.app import build  # noqa: PLC0415

    settings = ApiSettings.from_environment()
    telemetry = PowertoolsTelemetry("analytics", settings.metrics_namespace)
    clients = Clients()
    store = _store(settings, clients)
    api = build(
        _database(settings, API),
        cursor_keys=rotated_secret(clients.ssm(), settings.cursor_key_parameter, time.monotonic),
        unprojected=_unprojected(settings, clients, store),
        read_stock=lambda keys: store().read_stock(keys),
        find_membership=_find_membership(settings, clients),
        allowed_origins=settings.allowed_origins.split(),
        clock=lambda: datetime.now(UTC),
        telemetry=telemetry,
    )

    def invoke(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return api(event, context)

    return invoke


def _store(settings: ApiSettings, clients: Clients) -> "Callable[[], DynamoDBStore]":
    """Read the tables of orders and of stock; most requests need neither."""

    @cache
    def store() -> "DynamoDBStore":
        from services.shared.adapters.dynamodb_store import DynamoDBStore  # noqa: PLC0415

        return DynamoDBStore(
            clients.dynamodb(), inventory_table=settings.inventory_table, orders_table=settings.orders_table
        )

    return store


def _unprojected(settings: ApiSettings, clients: Clients, store: "Callable[[], DynamoDBStore]") -> FindOrder:
    """Find orders in their table, and in that of the console."""

    @cache
    def finder() -> FindOrder:
        from services.shared.adapters.console_table import ConsoleTable  # noqa: PLC0415
        from services.shared.receipts import Receipts  # noqa: PLC0415

        console = ConsoleTable(clients.dynamodb(), settings.console_table)
        return find_unprojected(store(), Receipts(console))

    def find(key: Key) -> UnprojectedOrder | None:
        return finder()(key)

    return find


def _find_membership(settings: ApiSettings, clients: Clients) -> "FindMembership":
    """Read memberships in the console's table, which changes of governance alone need."""

    @cache
    def finder() -> "FindMembership":
        from services.shared.adapters.console_table import ConsoleTable  # noqa: PLC0415
        from services.shared.membership import ConsoleMemberships  # noqa: PLC0415

        return ConsoleMemberships(ConsoleTable(clients.dynamodb(), settings.console_table)).membership

    def find(tenant_id: str, user_id: str) -> "Membership | None":
        return finder()(tenant_id, user_id)

    return find


@cache
def migrator() -> Callable[[object, object], dict[str, Any]]:
    from services.analytics.admin import migrator  # noqa: PLC0415
    from services.analytics.admin.commands import AdminCommands  # noqa: PLC0415

    settings = MigratorSettings.from_environment()
    telemetry = PowertoolsTelemetry("migrator", settings.metrics_namespace)
    secrets = Clients().secretsmanager()
    commands = AdminCommands(
        Database(
            connector(settings.conninfo(OWNER), iam_password(settings, OWNER), wait_seconds=WAKING_SECONDS)
        ),
        lambda: _administrator(settings, secrets),
        telemetry,
        migrator.read(),
    )

    def invoke(event: object, context: object) -> dict[str, Any]:
        with telemetry.invocation(context):
            return dict(commands.run(event))

    return invoke


def _administrator(settings: MigratorSettings, secrets: "SecretsManagerClient") -> Connection:
    """Connect with the server's own secret: the roles for IAM authentication may not exist yet."""
    secret = json.loads(secrets.get_secret_value(SecretId=settings.admin_secret)["SecretString"])
    return administrator(
        settings.conninfo(secret["username"]),
        lambda: str(secret["password"]),
        iam_password(settings, secret["username"]),
    )
