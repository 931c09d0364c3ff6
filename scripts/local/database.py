"""The local stack's database: create, migrate, and seed with demo data."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.conninfo import make_conninfo

from scripts.common.errors import ToolError
from scripts.common.null_telemetry import NullTelemetry
from scripts.demo_data import loader
from scripts.demo_data.row_copier import connect
from scripts.environment.migrator_client import invoke_migrator
from services.analytics.projector.service import Projector
from services.shared.database import OWNER, PROJECTOR, Database

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.demo_data.generator import DemoData
    from scripts.demo_data.loader import SeedResult
    from scripts.environment.environment import Environment
    from scripts.local.postgres import Postgres

NAME: Final = "pulsequeue"


def make(server: Postgres) -> None:
    """Create the empty database that Aurora comes with, if there is none."""
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        if not administrator.execute("SELECT FROM pg_database WHERE datname = %s", [NAME]).rowcount:
            administrator.execute(f"CREATE DATABASE {NAME}".encode())


def is_reachable(dsn: str) -> bool:
    try:
        with closing(psycopg.connect(dsn, connect_timeout=3)) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def orders_since(dsn: str, moment: str) -> list[tuple[str, str]]:
    """Return tenant and id of the orders that were placed since the moment."""
    with closing(psycopg.connect(dsn, connect_timeout=3)) as connection:
        rows = connection.execute(
            "SELECT tenant_id, order_id FROM orders WHERE placed_at >= %s ORDER BY placed_at LIMIT 10000",
            [moment],
        )
        return [(str(tenant), str(order_id)) for tenant, order_id in rows]


def migrate(environment: Environment) -> None:
    # Nothing of an earlier release is running on this machine.
    invoke_migrator(environment, {"action": "contract"})


def seed(dsn: str, data: DemoData, progress: Callable[[str], None]) -> SeedResult:
    """Load demo data; in bulk when the tenant has no events yet."""
    owner = make_conninfo(dsn, user=OWNER)
    try:
        connection = connect(owner)
    except psycopg.OperationalError as error:
        raise ToolError("PostgreSQL of the local stack does not answer; start it with `make up`.") from error
    with closing(connection):
        event = connection.execute("SELECT FROM event_inbox WHERE tenant_id = %s LIMIT 1", [data.tenant])
        in_bulk = event.fetchone() is None
    with closing(Database(lambda: connect(make_conninfo(dsn, user=PROJECTOR)))) as database:
        return loader.seed(
            data, owner, Projector(database, NullTelemetry()).handle, in_bulk=in_bulk, progress=progress
        )
