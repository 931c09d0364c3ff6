"""The audit log: added to, never changed, and what was done to it by force shows."""

from contextlib import closing

import psycopg
import pytest

from scripts.local.postgres import Postgres
from services.shared.database import OWNER
from tests.postgres.conftest import Analytics, make_copy

_ENTRY = (
    b"INSERT INTO audit_logs (tenant_id, user_id, role, action, metric, details)"
    b" VALUES (%s, 'u-1', 'admin', 'read', %s, '{}')"
)


def _write(analytics: Analytics, tenant: str, *metrics: str) -> None:
    for metric in metrics:
        with analytics.api.transaction(tenant) as session:
            session.execute(_ENTRY, [tenant, metric])


def _broken(analytics: Analytics, tenant: str) -> int | None:
    [(entry,)] = analytics.rows("SELECT first_broken_entry(%s)", tenant)
    return int(entry) if entry is not None else None


def _by_force(analytics: Analytics, statement: str) -> None:
    with closing(psycopg.connect(analytics.server.dsn(analytics.name), autocommit=True)) as administrator:
        administrator.execute("SET session_replication_role = replica")
        administrator.execute(statement.encode())


def test_entries_of_each_tenant_are_numbered_and_chained_by_themselves(analytics: Analytics) -> None:
    _write(analytics, "acme", "mrr", "churn")
    _write(analytics, "globex", "mrr")
    _write(analytics, "acme", "cohorts")

    entries = analytics.rows("SELECT tenant_id, entry, previous_hash, hash FROM audit_logs ORDER BY 1, 2")

    assert [(tenant, entry) for tenant, entry, _, _ in entries] == [
        *(("acme", 1), ("acme", 2), ("acme", 3)),
        ("globex", 1),
    ]
    assert entries[1][2] == entries[0][3]
    assert entries[2][2] == entries[1][3]
    assert (_broken(analytics, "acme"), _broken(analytics, "globex")) == (None, None)


@pytest.mark.parametrize(
    ("forgery", "entry"),
    [
        ("UPDATE audit_logs SET user_id = 'somebody else' WHERE entry = 2", 2),
        ("UPDATE audit_logs SET at = at - interval '1 second' WHERE entry = 2", 2),
        ("DELETE FROM audit_logs WHERE entry = 2", 3),
        ("DELETE FROM audit_logs WHERE entry = 1", 2),
        ("UPDATE audit_logs SET entry = 7 WHERE entry = 3", 7),
        ("DELETE FROM audit_logs WHERE entry = 3", 3),
        ("DELETE FROM audit_logs", 1),
        ("DELETE FROM audit_heads", 4),
    ],
)
def test_what_was_done_to_an_entry_by_force_shows(analytics: Analytics, forgery: str, entry: int) -> None:
    _write(analytics, "acme", "mrr", "churn", "mrr")

    _by_force(analytics, forgery)

    assert _broken(analytics, "acme") == entry


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_logs SET role = 'viewer'", "DELETE FROM audit_logs", "TRUNCATE audit_logs"],
)
def test_not_even_their_owner_changes_or_removes_entries(analytics: Analytics, statement: str) -> None:
    _write(analytics, "acme", "mrr")

    with (
        closing(analytics.connect(OWNER)) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed or removed"),
    ):
        owner.execute(statement.encode())

    assert len(analytics.rows("SELECT 1 FROM audit_logs")) == 1


def test_no_partition_can_be_emptied_by_itself(analytics: Analytics) -> None:
    _write(analytics, "acme", "mrr")
    [(partition,)] = analytics.rows("SELECT tableoid::regclass::text FROM audit_logs")

    with (
        closing(analytics.connect(OWNER)) as owner,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed or removed"),
    ):
        owner.execute(f"TRUNCATE {partition}".encode())

    assert len(analytics.rows("SELECT 1 FROM audit_logs")) == 1


def test_nobody_writes_into_the_log_of_another_tenant(analytics: Analytics) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        analytics.api.transaction("acme") as session,
    ):
        session.execute(_ENTRY, ["globex", "mrr"])

    assert analytics.rows("SELECT 1 FROM audit_logs") == []
    assert analytics.rows("SELECT 1 FROM audit_heads") == []


def test_whoever_writes_has_no_say_in_place_time_or_hash(analytics: Analytics) -> None:
    for column, value in (("entry", "7"), ("at", "now()"), ("hash", "''"), ("previous_hash", "''")):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            analytics.api.transaction("acme") as session,
        ):
            session.execute(
                f"INSERT INTO audit_logs (tenant_id, user_id, role, action, metric, details, {column})"
                f" VALUES ('acme', 'u', 'admin', 'read', 'mrr', '{{}}', {value})".encode()
            )


def test_entries_fall_into_the_partition_of_their_month(analytics: Analytics) -> None:
    _write(analytics, "acme", "mrr")

    [(partition, expected)] = analytics.rows(
        "SELECT tableoid::regclass::text, 'audit_logs_' || to_char(at AT TIME ZONE 'UTC', 'YYYY_MM')"
        " FROM audit_logs"
    )

    assert partition == expected


def test_entries_after_the_last_partition_find_a_place(server: Postgres) -> None:
    # A database of its own: the others would keep the partitions.
    analytics = Analytics(server, make_copy(server, "partitions"))
    with closing(analytics.connect(OWNER)) as owner:
        owner.execute(
            b"INSERT INTO audit_logs (tenant_id, at, user_id, role, action, metric, details)"
            b" VALUES ('acme', now() + interval '9 years', 'u', 'admin', 'read', 'mrr', '{}')"
        )
        owner.execute("SELECT make_audit_partitions(200)")

    assert analytics.rows("SELECT tableoid::regclass::text FROM audit_logs") == [("audit_logs_other",)]
