"""Rules that hold for every table, and tenant isolation in the database."""

import psycopg
import pytest

from services.shared.database import API, OWNER, PROJECTOR
from tests.postgres.conftest import Analytics

_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
"""
"""The book of migrations is about the database, and about no tenant."""


def _tables(analytics: Analytics, *, partitions: bool = False) -> list[str]:
    return [row[0] for row in analytics.rows(_TABLES + ("" if partitions else " AND NOT c.relispartition"))]


def test_there_are_the_tables_that_answers_are_made_from(analytics: Analytics) -> None:
    assert set(_tables(analytics)) == {
        *("tenants", "users", "role_metric_visibility", "governance_rules", "audit_logs", "audit_heads"),
        *("event_inbox", "projection_checkpoints", "orders", "order_items", "payments", "fulfillment"),
        *("products", "subscriptions", "subscription_periods", "mrr_movements", "fx_rates"),
        *(
            "marketing_campaigns",
            "sales_daily",
            "channel_daily",
            "product_daily",
            "product_month",
            "customer_month",
            "mrr_month",
            "cohort_month",
            "cohort_revenue",
            "datasets",
            "dataset_loads",
            "dataset_points",
            "dataset_hours",
            "imports",
            "import_chunks",
        ),
    }


def test_every_table_and_every_key_leads_with_the_tenant(analytics: Analytics) -> None:
    first = analytics.rows(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attnum = 1 AND attnotnull"
        " AND attrelid::regclass::text = ANY(%s)",
        _tables(analytics),
    )
    keys = analytics.rows(
        "SELECT i.indrelid::regclass::text, i.indexrelid::regclass::text, a.attname FROM pg_index i"
        " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indrelid::regclass::text = ANY(%s)",
        _tables(analytics),
    )

    assert dict(first) == dict.fromkeys(_tables(analytics), "tenant_id")
    assert {table for table, _, _ in keys} == set(_tables(analytics))
    assert {column for _, _, column in keys} == {"tenant_id"}


def test_every_table_is_owned_by_the_owner_and_obeys_its_policies_for_everyone(analytics: Analytics) -> None:
    policies = analytics.rows(
        "SELECT relname, relrowsecurity AND relforcerowsecurity, relowner::regrole::text FROM pg_class"
        " WHERE oid = ANY(%s::regclass[])",
        _tables(analytics, partitions=True),
    )

    assert len(policies) == len(_tables(analytics, partitions=True))
    assert {(forced, owner) for _, forced, owner in policies} == {(True, OWNER)}


def test_every_table_has_a_policy_for_each_role_and_the_api_s_asks_for_the_tenant(
    analytics: Analytics,
) -> None:
    policies = analytics.rows(
        "SELECT tablename, policyname, roles[1]::text, qual, with_check FROM pg_policies"
    )

    assert {(table, role) for table, _, role, _, _ in policies} == {
        (table, role) for table in _tables(analytics) for role in (OWNER, PROJECTOR, API)
    }
    for _, name, _, *conditions in policies:
        if name == "tenant":
            assert all("tenant_id = ( SELECT current_tenant()" in condition for condition in conditions)


def test_every_table_knows_when_its_rows_were_made_and_last_changed(analytics: Analytics) -> None:
    forced = analytics.rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE column_name IN"
        " ('created_at', 'updated_at') AND data_type = 'timestamp with time zone' AND is_nullable = 'NO'"
        " AND column_default = 'clock_timestamp()'"
    )
    triggers = analytics.rows("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'touch'")

    assert {(table, column) for table, column in forced} >= {
        (table, column) for table in _tables(analytics) for column in ("created_at", "updated_at")
    }
    assert {table for (table,) in triggers} >= set(_tables(analytics))


def test_a_change_moves_the_time_of_change_and_nothing_moves_the_time_of_making(analytics: Analytics) -> None:
    with analytics.projector.transaction() as session:
        session.execute("INSERT INTO tenants (tenant_id) VALUES ('acme')")
    before = analytics.rows("SELECT created_at, updated_at FROM tenants")

    with analytics.connect() as owner:
        owner.execute(
            "UPDATE tenants SET name = 'Acme', created_at = '2000-01-01', updated_at = '2000-01-01'"
        )

    [(made, changed)] = analytics.rows("SELECT created_at, updated_at FROM tenants")
    assert made == before[0][0]
    assert changed > before[0][1]


def test_the_api_owns_nothing_and_writes_only_who_asked_for_what_and_what_administrators_set(
    analytics: Analytics,
) -> None:
    tables = "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s"
    columns = "SELECT table_name, column_name FROM information_schema.column_privileges WHERE grantee = %s"

    granted = analytics.rows(tables, API)

    assert {table for table, what in granted if what == "SELECT"} == set(_tables(analytics))
    assert {it for it in granted if it[1] != "SELECT"} == {
        ("users", "INSERT"),
        ("users", "UPDATE"),
        ("role_metric_visibility", "INSERT"),
        ("governance_rules", "INSERT"),
        ("governance_rules", "DELETE"),
        *(
            (table, what)
            for table in ("datasets", "dataset_loads")
            for what in ("INSERT", "UPDATE", "DELETE")
        ),
        *((table, what) for table in ("dataset_points", "dataset_hours") for what in ("INSERT", "DELETE")),
    }
    assert {
        column
        for table, column in analytics.rows(columns + " AND privilege_type = 'INSERT'", API)
        if table == "audit_logs"
    } == {"tenant_id", "user_id", "role", "action", "metric", "details"}
    assert {
        (table, column)
        for table, column in analytics.rows(columns + " AND privilege_type IN ('INSERT', 'UPDATE')", API)
        if table == "tenants"
    } == {("tenants", "tenant_id")}
    assert {
        (table, column)
        for table, column in analytics.rows(columns + " AND privilege_type = 'UPDATE'", API)
        if table not in {"users", "datasets", "dataset_loads"}
    } == {("role_metric_visibility", "visible"), ("governance_rules", "setting")}
    assert analytics.rows("SELECT 1 FROM pg_class WHERE relowner = %s::regrole", API) == []
    assert analytics.rows("SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = %s", API) == [
        (False,)
    ]


@pytest.mark.parametrize("tenant", ["acme", "globex", "nobody", "", None])
def test_the_api_sees_the_tenant_of_its_transaction_in_every_table_and_nothing_without_one(
    analytics: Analytics, tenant: str | None
) -> None:
    with analytics.projector.transaction() as session:
        session.execute("INSERT INTO tenants (tenant_id) VALUES ('acme'), ('globex')")

    with analytics.api.transaction(tenant) as session:
        for table in _tables(analytics):
            seen = session.execute(f"SELECT DISTINCT tenant_id FROM {table}".encode()).fetchall()
            assert {it for (it,) in seen} <= {tenant}
        rules = session.execute("SELECT count(*) FROM role_metric_visibility").fetchone()

    assert rules == (21 if tenant in {"acme", "globex"} else 0,)


def test_a_tenant_is_forgotten_when_its_transaction_ends(analytics: Analytics) -> None:
    api = analytics.api
    with analytics.projector.transaction() as session:
        session.execute("INSERT INTO tenants (tenant_id) VALUES ('acme')")
    with api.transaction("acme") as session:
        assert session.execute("SELECT count(*) FROM tenants").fetchone() == (1,)

    with api.transaction() as session:
        seen = session.execute("SELECT count(*) FROM tenants").fetchone()

    assert seen == (0,)


def test_partitions_cannot_be_read_past_their_table(analytics: Analytics) -> None:
    with analytics.api.transaction("acme") as session:
        session.execute("SELECT make_dataset_partitions(ARRAY['2026-01-31'::date])")
    partitions = set(_tables(analytics, partitions=True)) - set(_tables(analytics))

    assert len(partitions) > 12
    for user in (API, PROJECTOR):
        database = analytics.database(user)
        for partition in partitions:
            with (
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                database.transaction("acme") as session,
            ):
                session.execute(f"SELECT * FROM {partition}".encode())
