"""The way to the database, when the database, or what lies between, fails."""

from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest

from services.shared.database import API, Connection, Database, connector
from services.shared.errors import StoreUnavailableError
from tests.postgres.conftest import Analytics


@dataclass
class Counted:
    """Opens connections, and counts them."""

    analytics: Analytics
    opened: int = 0

    def connect(self) -> Connection:
        self.opened += 1
        return self.analytics.connect(API)


def _cut(analytics: Analytics, pid: int) -> None:
    """End a connection from outside, and return when it is gone."""
    with closing(psycopg.connect(analytics.server.dsn(analytics.name), autocommit=True)) as administrator:
        assert administrator.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)


def _ask_on_a_connection_that_is_cut(analytics: Analytics, database: Database) -> None:
    with database.transaction("acme") as session:
        _cut(analytics, session.info.backend_pid)
        session.execute("SELECT 1")


@pytest.mark.parametrize("tenant", [None, "acme"])
def test_a_connection_that_was_cut_while_idle_is_replaced_before_anybody_notices(
    analytics: Analytics, tenant: str | None
) -> None:
    counted = Counted(analytics)
    with closing(Database(counted.connect)) as database:
        with database.transaction(tenant) as session:
            pid = session.info.backend_pid
        _cut(analytics, pid)

        with database.transaction(tenant) as session:
            answer = session.execute("SELECT current_tenant()").fetchone()

    assert answer == (tenant,)
    assert counted.opened == 2


def test_a_connection_is_lent_only_if_it_still_answers(analytics: Analytics) -> None:
    counted = Counted(analytics)
    with closing(Database(counted.connect)) as database:
        with database.connection() as lent:
            pid = lent.info.backend_pid
        _cut(analytics, pid)

        with database.connection() as lent:
            answer = lent.execute("SELECT 1").fetchone()

    assert answer == (1,)
    assert counted.opened == 2


def test_a_connection_that_is_cut_within_a_transaction_is_replaced_for_the_next_alone(
    analytics: Analytics,
) -> None:
    counted = Counted(analytics)
    with closing(Database(counted.connect)) as database:
        with pytest.raises(StoreUnavailableError, match="is unavailable"):
            _ask_on_a_connection_that_is_cut(analytics, database)
        opened_then = counted.opened

        with database.transaction("acme") as session:
            answer = session.execute("SELECT current_tenant()").fetchone()

    assert opened_then == 1
    assert answer == ("acme",)


def test_a_database_that_is_not_there_any_more_is_looked_for_once_each_time(analytics: Analytics) -> None:
    counted = Counted(analytics)
    gone = False

    def connect() -> Connection:
        if gone:
            counted.opened += 1
            raise psycopg.OperationalError("nobody listens")
        return counted.connect()

    with closing(Database(connect)) as database:
        with database.transaction() as session:
            pid = session.info.backend_pid
        _cut(analytics, pid)
        gone = True

        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="nobody listens"), database.transaction():
                raise AssertionError("there is no transaction")

    assert counted.opened == 3


def test_each_connection_is_opened_with_a_password_of_its_own(analytics: Analytics) -> None:
    made: list[str] = []

    def password() -> str:
        made.append("a token")
        return made[-1]

    connect = connector(analytics.server.dsn(analytics.name, API), password)
    with closing(Database(connect)) as database:
        with database.transaction() as session:
            pid = session.info.backend_pid
        _cut(analytics, pid)
        with database.transaction() as session:
            session.execute("SELECT 1")

    assert len(made) == 2
