"""A real PostgreSQL for each test process, and an empty, migrated database for each test."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg
import pytest

from scripts.local import postgres
from scripts.local.postgres import Postgres
from services.analytics.admin import migrator
from services.shared.database import API, OWNER, PROJECTOR, Connection, Database

TEMPLATE = "migrated"


@dataclass(frozen=True)
class Analytics:
    """One database, and a way in for each role."""

    server: Postgres
    name: str
    opened: list[Database] = field(default_factory=list, repr=False)

    def connect(self, user: str = OWNER) -> Connection:
        return psycopg.connect(self.server.dsn(self.name, user), autocommit=True, prepare_threshold=None)

    def database(self, user: str) -> Database:
        """Open a way in, which is closed with the database."""
        self.opened.append(Database(lambda: self.connect(user)))
        return self.opened[-1]

    @property
    def projector(self) -> Database:
        return self.database(PROJECTOR)

    @property
    def api(self) -> Database:
        return self.database(API)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Query as the owner, who sees every tenant."""
        with closing(self.connect()) as owner:
            return owner.execute(query.encode(), parameters).fetchall()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """PostgreSQL, with a migrated database to make others from."""
    started = postgres.start(tmp_path_factory.mktemp("postgres") / "postgres.log")
    try:
        make_empty(started, TEMPLATE)
        with closing(Analytics(started, TEMPLATE).connect()) as owner:
            migrator.migrate(owner, migrator.read())
        yield started
    finally:
        postgres.stop(started)


@pytest.fixture(scope="session")
def shared(server: Postgres) -> str:
    """The database that is emptied again and again: making one takes longer than most tests."""
    return make_copy(server, "shared")


@pytest.fixture
def analytics(request: pytest.FixtureRequest, server: Postgres, shared: str) -> Iterator[Analytics]:
    """An empty database with every table; one of its own for a test that changes more than rows."""
    spoils = request.node.get_closest_marker("spoils_the_schema") is not None
    made = Analytics(server, make_copy(server, f"spoilt_{next(_numbers)}") if spoils else shared)
    yield made
    for database in made.opened:
        database.close()
    if spoils:
        return
    with closing(psycopg.connect(server.dsn(shared), autocommit=True)) as administrator:
        # Without triggers: the audit log refuses to be emptied.
        administrator.execute("SET session_replication_role = replica")
        administrator.execute(_EMPTY)


@pytest.fixture
def rated(analytics: Analytics) -> Analytics:
    """Two tenants with different reporting currencies, and their exchange rates."""
    with closing(analytics.connect()) as owner:
        owner.execute(
            "INSERT INTO tenants (tenant_id, reporting_currency) VALUES ('acme','USD'),('globex','EUR')"
        )
        owner.execute("""
            INSERT INTO fx_rates (tenant_id, currency, valid_from, rate) VALUES
              ('acme', 'EUR', '2020-01-01', 1.1), ('acme', 'EUR', '2026-01-01', 1.2345678901),
              ('acme', 'JPY', '2020-01-01', 0.0068), ('acme', 'JPY', '2025-12-24', 0.0064),
              ('globex', 'USD', '2020-01-01', 0.9), ('globex', 'USD', '2026-02-01', 0.8765432109),
              ('globex', 'JPY', '2020-01-01', 0.0061)
        """)
    return analytics


_numbers = count(1)
_EMPTY = """
DO $$
BEGIN
  EXECUTE (
    SELECT 'TRUNCATE ' || string_agg(oid::regclass::text, ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'schema_migrations'
  );
END
$$
"""


def make_copy(server: Postgres, name: str) -> str:
    """Make a migrated database."""
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
    return name


def make_empty(server: Postgres, name: str) -> None:
    """Make a database with nothing in it but the roles."""
    with closing(psycopg.connect(server.dsn(), autocommit=True)) as administrator:
        administrator.execute(f"CREATE DATABASE {name}".encode())
    with closing(psycopg.connect(server.dsn(name), autocommit=True)) as administrator:
        migrator.ensure_roles(administrator)
