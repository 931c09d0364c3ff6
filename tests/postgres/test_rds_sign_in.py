"""Migrations on RDS, which refuses the password of a member of rds_iam, direct or not."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from services.analytics.admin import migrator
from services.analytics.admin.commands import AdminCommands
from services.shared.database import API, OWNER, PROJECTOR, Connection, Database, administrator
from services.shared.errors import StoreUnavailableError
from tests.postgres.rds_sign_in import ADMINISTRATOR, DATABASE, PASSWORD, TOKEN, Rds, rds
from tests.support.fakes import RecordingTelemetry

ALL = migrator.read()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Rds]:
    with rds(tmp_path) as started:
        yield started


@dataclass
class Deployment:
    """Runs the migrator's commands with a token for the owner and a password for the administrator."""

    server: Rds
    administrators: list[str] = field(default_factory=list)
    """How the administrator signed in, each time."""
    administrator_token: str = TOKEN

    def migrate(self, migrations: tuple[migrator.Migration, ...] = ALL) -> int:
        """Migrate as a new process does, and return the number of migrations applied."""
        with ExitStack() as rights, closing(Database(lambda: self.server.connect(OWNER, TOKEN))) as owner:
            commands = AdminCommands(
                owner, lambda: self._administrator(rights), RecordingTelemetry(), migrations
            )
            return len(commands.run({"action": "migrate"})["applied"])

    def _administrator(self, rights: ExitStack) -> Connection:
        def password() -> str:
            self.administrators.append("password")
            return PASSWORD

        def token() -> str:
            self.administrators.append("token")
            return self.administrator_token

        connection = administrator(self.server.server.dsn(DATABASE, ADMINISTRATOR), password, token)
        rights.enter_context(self.server.administrator_may_grant_rds_iam())
        return connection


def test_the_first_migration_creates_the_roles_and_the_second_needs_no_administrator(server: Rds) -> None:
    deployment = Deployment(server)

    first = deployment.migrate()
    second = deployment.migrate()

    assert (first, second) == (len(ALL), 0)
    assert deployment.administrators == ["password"]


def test_after_the_first_migration_the_password_of_the_administrator_is_refused(server: Rds) -> None:
    server.connect(ADMINISTRATOR, PASSWORD).close()

    Deployment(server).migrate()

    with pytest.raises(psycopg.OperationalError, match="RADIUS authentication failed"):
        server.connect(ADMINISTRATOR, PASSWORD)
    for role in (OWNER, PROJECTOR, API):
        server.connect(role, TOKEN).close()


def test_a_later_migration_is_applied_by_the_owner(server: Rds) -> None:
    deployment = Deployment(server)
    deployment.migrate()
    more = migrator.Migration(len(ALL) + 1, "more", "CREATE TABLE more (id integer)")

    applied = deployment.migrate((*ALL, more))

    assert applied == 1
    assert deployment.administrators == ["password"]


def test_a_role_that_is_missing_later_is_created_by_the_administrator_with_a_token(server: Rds) -> None:
    deployment = Deployment(server)
    deployment.migrate()
    with closing(server.superuser()) as superuser:
        superuser.execute(f"ALTER ROLE {API} RENAME TO former".encode())

    deployment.migrate()

    assert deployment.administrators == ["password", "password", "token"]
    server.connect(API, TOKEN).close()


def test_that_nobody_can_sign_in_is_one_error_with_both_reasons(server: Rds) -> None:
    deployment = Deployment(server, administrator_token="expired")
    deployment.migrate()
    with closing(server.superuser()) as superuser:
        superuser.execute(f"ALTER ROLE {OWNER} NOLOGIN".encode())

    with pytest.raises(StoreUnavailableError, match=rf"as {OWNER}: .*; as the administrator: .*"):
        deployment.migrate()
