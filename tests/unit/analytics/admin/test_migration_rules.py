"""Which migrations the code that is running meanwhile can bear."""

import pytest

from services.analytics.admin.migration_rules import IncompatibleMigrationError, check
from services.analytics.admin.migrator import FOLDER, read


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE orders",
        "DROP FUNCTION current_tenant()",
        "ALTER TABLE orders DROP COLUMN status",
        "alter table orders\n  drop column status",
        "ALTER TABLE orders RENAME COLUMN status TO state",
        "ALTER TABLE orders RENAME TO purchases",
        "ALTER TABLE orders ALTER COLUMN status TYPE integer",
        "ALTER TABLE orders ALTER status SET DATA TYPE integer",
        "ALTER TABLE orders ALTER COLUMN status SET NOT NULL",
        "ALTER TABLE orders ALTER COLUMN status DROP DEFAULT",
        "ALTER TABLE orders ADD COLUMN channel text NOT NULL",
        "ALTER TABLE orders ADD channel text NOT NULL, ADD note text DEFAULT 'none'",
        "ALTER TABLE orders ADD CONSTRAINT positive CHECK (total > 0)",
        "ALTER TABLE orders ADD UNIQUE (order_id)",
        "CREATE UNIQUE INDEX once ON orders (order_id)",
        "TRUNCATE orders",
        "DELETE FROM orders WHERE status = 'open'",
        "REVOKE SELECT ON orders FROM pulsequeue_api",
        "SELECT 1; -- then\nDROP TABLE orders",
        "CREATE TABLE new (id integer); ALTER TABLE orders DROP COLUMN status",
    ],
)
def test_what_earlier_code_may_depend_on_is_neither_changed_nor_removed(sql: str) -> None:
    with pytest.raises(IncompatibleMigrationError, match=r"0009_it is not additive: .*Split it"):
        check("0009_it", sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE new (id integer NOT NULL UNIQUE)",
        "CREATE TABLE new (id integer); ALTER TABLE new ADD CHECK (id > 0)",
        "CREATE TABLE new (id integer); CREATE UNIQUE INDEX once ON new (id)",
        "ALTER TABLE orders ADD COLUMN channel text",
        "ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web'",
        "ALTER TABLE orders ADD COLUMN channel text DEFAULT 'web' NOT NULL",
        "ALTER TABLE orders ADD COLUMN year integer NOT NULL GENERATED ALWAYS AS (2) STORED",
        "ALTER TABLE orders ALTER COLUMN status DROP NOT NULL",
        "CREATE INDEX newest ON orders (placed_at)",
        "DROP INDEX newest",
        "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; END $$",
        "COMMENT ON TABLE orders IS 'DROP TABLE orders; it''s text'",
        "/* DROP TABLE orders; */ SELECT 1",
        "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC",
    ],
)
def test_additions_are_accepted(sql: str) -> None:
    check("0009_it", sql)


def test_a_contraction_says_so_and_why_in_its_first_line() -> None:
    check("0009_it", "-- contract: since 0007 nothing reads it\nDROP TABLE orders;")
    for first_line in ("-- contract:", "-- Contract: because", "SELECT 1; -- contract: because"):
        with pytest.raises(IncompatibleMigrationError):
            check("0009_it", f"{first_line}\nDROP TABLE orders;")


def test_every_migration_of_this_release_is_accepted() -> None:
    assert len(read()) == len(list(FOLDER.glob("*.sql")))
