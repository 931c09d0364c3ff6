"""Migrations bring any earlier schema up to date, or change nothing and report why."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg
import pytest

from scripts.local import postgres
from scripts.local.postgres import Postgres
from services.analytics.admin import migrator
from services.analytics.admin.migrator import Migration, MigrationError, State
from services.shared.database import PROJECTOR, Connection
from tests.postgres.conftest import Analytics, make_empty

ALL = migrator.read()
_numbers = count(1)


@pytest.fixture
def fresh(server: Postgres) -> Analytics:
    """A database with the roles, and nothing else."""
    made = Analytics(server, f"fresh_{next(_numbers)}")
    make_empty(server, made.name)
    return made


@pytest.fixture
def owner(fresh: Analytics) -> Iterator[Connection]:
    with closing(fresh.connect()) as connection:
        yield connection


def _states(owner: Connection, migrations: tuple[Migration, ...] = ALL) -> list[State]:
    return [step.state for step in migrator.status(owner, migrations)]


def test_an_empty_database_is_brought_up_to_date(owner: Connection) -> None:
    before = _states(owner)

    applied = migrator.migrate(owner, ALL)

    assert before == [State.PENDING] * len(ALL)
    assert [step.version for step in applied] == [it.version for it in ALL]
    assert _states(owner) == [State.APPLIED] * len(ALL)


def test_a_second_run_finds_nothing_to_do(owner: Connection) -> None:
    migrator.migrate(owner, ALL)

    assert migrator.migrate(owner, ALL) == []


def test_of_several_at_once_each_migration_is_applied_by_one(fresh: Analytics) -> None:
    def run(_: int) -> list[int]:
        with closing(fresh.connect()) as connection:
            return [step.version for step in migrator.migrate(connection, ALL)]

    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(run, range(4)))

    assert sorted(version for each in applied for version in each) == [it.version for it in ALL]


@pytest.mark.parametrize("version", range(1, len(ALL)))
def test_every_earlier_version_is_brought_up_to_date_with_its_data(
    fresh: Analytics, owner: Connection, version: int
) -> None:
    migrating_then = ALL[:version]
    audited = any("FUNCTION make_audit_partitions" in it.sql for it in migrating_then)
    if not audited:
        owner.execute(b"CREATE FUNCTION make_audit_partitions(integer) RETURNS void RETURN NULL")
    migrator.migrate(owner, migrating_then)
    if not audited:
        owner.execute(b"DROP FUNCTION make_audit_partitions")
    with closing(fresh.connect(PROJECTOR)) as projector:
        projector.execute(b"INSERT INTO tenants (tenant_id, name) VALUES ('acme', 'Acme')")

    applied = migrator.migrate(owner, ALL)

    assert [step.version for step in applied] == [it.version for it in ALL[version:]]
    assert fresh.rows("SELECT tenant_id, name FROM tenants") == [("acme", "Acme")]
    assert len(fresh.rows("SELECT 1 FROM role_metric_visibility")) == 21


CONTRACT = "-- contract: nothing reads it any more\nDROP TABLE kept"


def test_what_removes_something_waits_until_it_is_asked_for(owner: Connection) -> None:
    number = len(ALL) + 1
    migrator.migrate(owner, (*ALL, Migration(number, "keep", "CREATE TABLE kept (id integer)")))
    release = (*ALL, Migration(number, "keep", "CREATE TABLE kept (id integer)"))
    removing = (*release, Migration(number + 1, "remove", CONTRACT))

    expanded = migrator.migrate(owner, removing)
    there = owner.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()
    contracted = migrator.migrate(owner, removing, contract=True)
    left = owner.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone()

    assert (expanded, there) == ([], (True,))
    assert ([it.version for it in contracted], left) == ([number + 1], (False,))


def test_an_addition_after_a_pending_removal_is_refused(owner: Connection) -> None:
    migrator.migrate(owner, ALL)
    number = len(ALL) + 1
    more = (*ALL, Migration(number, "remove", CONTRACT), Migration(number + 1, "add", "SELECT 1"))

    with pytest.raises(
        MigrationError, match=r"00\d\d_add follows 00\d\d_remove.*run `pulsequeue db contract`"
    ):
        migrator.migrate(owner, more)


def test_a_database_that_was_never_migrated_gets_every_migration(owner: Connection) -> None:
    number = len(ALL) + 1
    keep = Migration(number, "keep", "CREATE TABLE kept (id integer)")

    applied = migrator.migrate(owner, (*ALL, keep, Migration(number + 1, "remove", CONTRACT)))

    assert len(applied) == number + 1


def test_a_migration_that_fails_leaves_nothing_of_itself_and_all_before_it(owner: Connection) -> None:
    broken = Migration(len(ALL) + 1, "broken", "CREATE TABLE half (tenant_id text); SELECT 1 / 0;")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrator.migrate(owner, (*ALL, broken))

    assert _states(owner, (*ALL, broken)) == [State.APPLIED] * len(ALL) + [State.PENDING]
    assert owner.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_after_a_failure_the_next_run_goes_on_where_it_stopped(owner: Connection) -> None:
    number = len(ALL) + 1
    with pytest.raises(psycopg.errors.UndefinedTable):
        migrator.migrate(owner, (*ALL, Migration(number, "more", "SELECT * FROM missing")))

    applied = migrator.migrate(owner, (*ALL, Migration(number, "more", "SELECT 1")))

    assert [step.version for step in applied] == [number]


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(owner: Connection) -> None:
    migrator.migrate(owner, ALL)
    tampered = (*ALL[:-1], Migration(ALL[-1].version, ALL[-1].name, ALL[-1].sql + "-- more"))

    with pytest.raises(MigrationError, match=f"{len(ALL):04}_.* was changed after it was applied"):
        migrator.migrate(owner, tampered)

    assert _states(owner, tampered)[-1] is State.CHANGED


def test_a_database_that_a_newer_release_only_added_to_is_accepted(owner: Connection) -> None:
    migrator.migrate(owner, ALL)

    applied = migrator.migrate(owner, ALL[:-1])

    assert applied == []
    assert _states(owner, ALL[:-1])[-1] is State.UNKNOWN


def test_a_database_that_a_newer_release_removed_from_is_refused(owner: Connection) -> None:
    number = len(ALL) + 1
    keep = Migration(number, "keep", "CREATE TABLE kept ()")
    migrator.migrate(owner, (*ALL, keep, Migration(number + 1, "remove", CONTRACT)), contract=True)

    with pytest.raises(MigrationError, match=r"_remove, which removed something that this release may use"):
        migrator.migrate(owner, ALL)


def test_line_ends_of_a_checkout_do_not_change_a_migration(tmp_path: Path) -> None:
    for folder, end in (("unix", "\n"), ("windows", "\r\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0001_one.sql").write_bytes(f"SELECT 1;{end}SELECT 2;{end}".encode())

    [[unix], [windows]] = (migrator.read(tmp_path / folder) for folder in ("unix", "windows"))

    assert unix.checksum == windows.checksum


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_one.sql", "0003_three.sql"], r"numbered 1, 2, 3 ...; these are \[1, 3\]"),
        (["0001_one.sql", "0001_other.sql"], r"these are \[1, 1\]"),
        (["one.sql"], "one.sql is not named like a migration"),
    ],
)
def test_migrations_with_gaps_doubles_or_other_names_are_refused(
    tmp_path: Path, names: list[str], complaint: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")

    with pytest.raises(MigrationError, match=complaint):
        migrator.read(tmp_path)


def test_roles_are_made_by_as_many_as_like_at_once(server: Postgres, fresh: Analytics) -> None:
    def run(_: int) -> None:
        with closing(psycopg.connect(server.dsn(fresh.name), autocommit=True)) as administrator:
            migrator.ensure_roles(administrator)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))

    assert len(fresh.rows("SELECT 1 FROM pg_roles WHERE rolname LIKE 'pulsequeue%%'")) == 3


def test_roles_are_made_by_an_administrator_who_is_no_superuser_and_who_becomes_none_of_them(
    tmp_path: Path,
) -> None:
    # As on Aurora: whoever is a member of a role that IAM lets in is not let in by a password any more.
    aurora = postgres.start(tmp_path / "postgres.log")
    try:
        with closing(psycopg.connect(aurora.dsn(), autocommit=True)) as superuser:
            superuser.execute("CREATE ROLE rds_iam")
            superuser.execute("CREATE ROLE administrator LOGIN CREATEROLE")
            superuser.execute("GRANT rds_iam TO administrator WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
            superuser.execute("CREATE DATABASE aurora OWNER administrator")
        with closing(
            psycopg.connect(aurora.dsn("aurora", "administrator"), autocommit=True)
        ) as administrator:
            migrator.ensure_roles(administrator)
            migrator.ensure_roles(administrator)
        analytics = Analytics(aurora, "aurora")
        with closing(analytics.connect()) as connection:
            applied = migrator.migrate(connection, ALL)
        granted = analytics.rows(
            "SELECT roleid::regrole::text FROM pg_auth_members"
            " WHERE member = 'administrator'::regrole AND (inherit_option OR set_option)"
        )
    finally:
        postgres.stop(aurora)

    assert len(applied) == len(ALL)
    assert granted == []


def test_the_newest_postgresql_takes_the_schema_too(tmp_path: Path) -> None:
    newest = postgres.start(tmp_path / "postgres.log", version=18)
    try:
        make_empty(newest, "newest")
        with closing(Analytics(newest, "newest").connect()) as connection:
            applied = migrator.migrate(connection, ALL)
    finally:
        postgres.stop(newest)

    assert len(applied) == len(ALL)
