"""Export, load and reconciliation over a real database, and what becomes of every fault between them."""

import json
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from scripts.demo_data import bulk_loader
from scripts.demo_data.generator import DemoData
from services.shared.database import OWNER
from services.warehouse import tables
from services.warehouse.adapters.duckdb_warehouse import DuckDBWarehouse, open_duckdb
from services.warehouse.exporter import Selection
from services.warehouse.reconcile import DayState
from services.warehouse.source import ExportRunningError, open_snapshot
from services.warehouse.store import FolderStore, read_manifest, write_manifest
from services.warehouse.tables import EXPORTED, ORDERS, PAYMENTS, ExportedTable
from services.warehouse.warehouse import DayFile, WarehouseUnavailableError
from tests.postgres.conftest import Analytics
from tests.support.warehouse import WarehouseBench

SHOP = DemoData(
    orders=200, customers=40, months=2, seed=5, tenant="acme", until=datetime(2026, 11, 21, tzinfo=UTC)
)


@pytest.fixture
def bench(analytics: Analytics, tmp_path: Path) -> WarehouseBench:
    """A shop of three months, nothing of which is exported."""
    bulk_loader.load(SHOP, analytics.server.dsn(analytics.name, OWNER), workers=1, progress=lambda _: None)
    return WarehouseBench(tmp_path, lambda: analytics.connect(OWNER))


def _run(bench: WarehouseBench) -> None:
    bench.export()
    bench.load()


def _execute(bench: WarehouseBench, statement: str) -> int:
    with closing(bench.connect()) as owner:
        return owner.execute(statement.encode()).rowcount


def _require_all_equal(bench: WarehouseBench) -> None:
    report = bench.reconcile()
    assert report.holds
    assert report.pending == []
    assert {day.table for day in report.days} == {table.name for table in EXPORTED}
    assert sum(day.warehouse.rows for day in report.days if day.table == "orders") == 200


def test_database_files_and_warehouse_are_equal_row_for_row_and_sum_for_sum(
    bench: WarehouseBench, analytics: Analytics
) -> None:
    _run(bench)

    _require_all_equal(bench)
    for table in EXPORTED:
        names = ", ".join(table.names)
        shown = [name for name in table.names if not name.endswith("_at")]
        in_warehouse = bench.query(f"SELECT {', '.join(shown)} FROM modeled.{table.name} ORDER BY ALL")
        in_database = analytics.rows(f"SELECT {', '.join(shown)} FROM {table.name}")
        assert in_warehouse == sorted(in_database, key=lambda row: tuple((it is None, it) for it in row)), (
            names
        )


def test_the_second_export_writes_the_newest_days_and_no_others(bench: WarehouseBench) -> None:
    _run(bench)

    again = bench.export()

    assert {counts.days for counts in again.tables.values()} <= {1, 2, 3}


def test_texts_survive_whatever_they_hold(bench: WarehouseBench, analytics: Analytics) -> None:
    odd = ["", r"\N", 'a "quoted", text', "two\nlines", "=1+1", "ümläut", " "]
    keys = analytics.rows("SELECT order_id FROM orders ORDER BY order_id LIMIT %s", len(odd))
    with closing(bench.connect()) as owner:
        for (order,), text in zip(keys, odd, strict=True):
            owner.execute("UPDATE orders SET reason = %s WHERE order_id = %s", [text, order])

    _run(bench)

    found = dict(bench.query("SELECT order_id, reason FROM modeled.orders"))
    assert [found[order] for (order,) in keys] == odd
    _require_all_equal(bench)


def test_sales_are_the_lines_of_orders_that_are_open_or_won(
    bench: WarehouseBench, analytics: Analytics
) -> None:
    _run(bench)

    expected = analytics.rows(
        "SELECT count(*), sum(coalesce(total_minor, quantity * unit_price_minor)) FROM orders"
        " JOIN order_items USING (tenant_id, order_id) WHERE status IN ('PLACED', 'RESERVED', 'CONFIRMED')"
    )
    assert bench.query("SELECT count(*), sum(amount_minor) FROM modeled.fct_sales") == expected
    assert expected[0][0] > 50


def test_a_range_is_written_again_and_nothing_else(bench: WarehouseBench) -> None:
    _run(bench)

    day = date(2026, 10, 5)
    again = bench.export(Selection([ORDERS], day, day))

    assert {name: counts.days for name, counts in again.tables.items()} == {"orders": 1}


# Faults


class KilledError(BaseException):
    """What a process sees of SIGKILL: nothing runs any more, not even an except clause."""


class KilledStore(FolderStore):
    """Ends the process at the n-th file or manifest that is to be written."""

    def __init__(self, folder: Path, writes: int) -> None:
        super().__init__(folder)
        self._left = writes

    def upload(self, key: str, path: Path) -> None:
        self._count()
        super().upload(key, path)

    def write(self, key: str, content: bytes) -> None:
        self._count()
        super().write(key, content)

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise KilledError


@pytest.mark.parametrize("writes", [0, 1, 40, 150])
def test_an_export_killed_anywhere_is_completed_by_the_next(bench: WarehouseBench, writes: int) -> None:
    with pytest.raises(KilledError):
        bench.export(store=KilledStore(bench.folder / "export", writes), chunk_rows=50)
    bench.load()
    assert bench.reconcile().holds

    _run(bench)

    _require_all_equal(bench)
    named = {day.file for table in EXPORTED for day in read_manifest(bench.store, table.name).days}
    bench.export()
    assert named - set(bench.store.keys("files/")) == set()


def test_a_load_killed_by_the_system_is_completed_by_the_next(bench: WarehouseBench) -> None:
    bench.export()
    process = multiprocessing.get_context("spawn").Process(
        target=_load_and_die, args=(bench.folder, bench.file, "payments")
    )
    process.start()
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL
    states = {day.table: day.state for day in bench.reconcile().days}
    assert (states["orders"], states["payments"]) == (DayState.EQUAL, DayState.TO_LOAD)

    bench.load()

    _require_all_equal(bench)


class _DyingWarehouse(DuckDBWarehouse):
    """Is killed within the transaction of a table, after its raw rows were read."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, last: str) -> None:
        super().__init__(connection)
        self._last = last

    def load(self, table: ExportedTable, files: Sequence[DayFile], now: datetime) -> None:
        if table.name == self._last:
            super().load(table, _Files(files), now)
        super().load(table, files, now)


class _Files(list[DayFile]):
    """Kills the process when the rows of the files are to be checked: they are read by then."""

    passes = 0

    def __iter__(self) -> Iterator[DayFile]:
        self.passes += 1
        if self.passes == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__iter__()


def _load_and_die(folder: Path, file: Path, last: str) -> None:
    bench = WarehouseBench(folder, lambda: pytest.fail("a load needs no database"))
    with open_duckdb(file) as warehouse:
        bench.load_into(_DyingWarehouse(warehouse._connection, last))  # noqa: SLF001 - the same connection


def test_a_manifest_without_its_file_stops_one_day_and_the_next_export_writes_it(
    bench: WarehouseBench,
) -> None:
    bench.export()
    lost = read_manifest(bench.store, "payments").days[4]
    bench.store.delete([lost.file])

    loaded = bench.load()

    assert [(it.table, it.day, it.reason) for it in loaded.damaged] == [
        ("payments", lost.day, "its file is missing")
    ]
    assert [day.state for day in bench.reconcile().broken] == [DayState.FILE_MISSING]
    _run(bench)
    _require_all_equal(bench)


def test_a_file_that_is_not_the_one_written_is_not_loaded(bench: WarehouseBench) -> None:
    bench.export()
    first, second = read_manifest(bench.store, "orders").days[:2]
    bench.store.write(first.file, bench.store.read(second.file))

    loaded = bench.load()

    assert [(it.day, it.reason) for it in loaded.damaged] == [(first.day, "its file is not the one written")]
    assert [day.state for day in bench.reconcile().broken] == [DayState.FILE_DIFFERS]
    bench.export(Selection([ORDERS], first.day, first.day))
    bench.load()
    _require_all_equal(bench)


def test_a_file_without_manifest_does_not_count_and_is_removed(bench: WarehouseBench) -> None:
    _run(bench)
    day = read_manifest(bench.store, "orders").days[0]
    stray = day.file.replace(day.version, "20990101T000000.000000Z")
    bench.store.write(stray, bench.store.read(day.file))

    bench.load()

    _require_all_equal(bench)
    bench.export()
    assert stray not in bench.store.keys("files/orders/")


def test_loading_twice_and_older_manifests_again_change_nothing(bench: WarehouseBench) -> None:
    bench.export()
    older = read_manifest(bench.store, "payments")
    _execute(bench, "UPDATE payments SET refunded_minor = 7, status = 'REFUNDED' WHERE status = 'SUCCEEDED'")
    _run(bench)
    newer = read_manifest(bench.store, "payments")

    write_manifest(bench.store, older)  # a notification that comes late
    assert bench.load().days.get("payments", 0) == 0
    write_manifest(bench.store, newer)
    assert bench.load().rows == 0

    _require_all_equal(bench)


def test_late_refunds_reach_the_warehouse_with_the_day_of_their_order(bench: WarehouseBench) -> None:
    _run(bench)
    refund = (
        "UPDATE payments SET status = 'REFUNDED', refunded_minor = amount_minor, refunded_at = now()"
        " WHERE order_id ="
        " (SELECT order_id FROM orders JOIN payments p USING (tenant_id, order_id)"
        "  WHERE p.status = 'SUCCEEDED' ORDER BY placed_at LIMIT 1)"
    )
    assert _execute(bench, refund) == 1
    assert [day.state for day in bench.reconcile().pending] == [DayState.TO_EXPORT]

    exported = bench.export()
    bench.load()

    assert exported.tables["payments"].days == exported.tables["orders"].days + 1
    _require_all_equal(bench)
    assert bench.query("SELECT max(refunded_at) > TIMESTAMP '2026-11-22' FROM modeled.payments") == [(True,)]


def test_a_change_that_no_sum_of_numbers_shows_is_exported(bench: WarehouseBench) -> None:
    _run(bench)
    _execute(
        bench,
        "UPDATE orders SET region = 'moved' WHERE order_id = (SELECT min(order_id) FROM orders)",
    )

    _run(bench)

    assert bench.query("SELECT count(*) FROM modeled.orders WHERE region = 'moved'") == [(1,)]
    _require_all_equal(bench)


def test_rows_that_moved_to_another_day_or_are_gone_are_not_doubled(bench: WarehouseBench) -> None:
    _run(bench)
    moved = "(SELECT order_id FROM orders ORDER BY placed_at LIMIT 3)"
    _execute(bench, f"UPDATE orders SET placed_at = '2026-10-10T10:00:00Z' WHERE order_id IN {moved}")
    _execute(bench, "DELETE FROM mrr_month WHERE month = (SELECT min(month) FROM mrr_month)")

    _run(bench)

    _require_all_equal(bench)
    assert bench.query("SELECT count(*), count(DISTINCT order_id) FROM modeled.orders") == [(200, 200)]


def test_a_new_column_is_added_and_every_day_written_again(
    bench: WarehouseBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reduced = replace(PAYMENTS, columns=tuple(it for it in PAYMENTS.columns if it.name != "refund_id"))
    earlier = tuple(reduced if it is PAYMENTS else it for it in EXPORTED)
    with monkeypatch.context() as before:
        for module in ("exporter", "loader", "reconcile"):
            before.setattr(f"services.warehouse.{module}.EXPORTED", earlier)
        before.setattr("services.warehouse.models.BY_NAME", {it.name: it for it in earlier})
        bench.export(Selection(earlier))
        bench.load()
        with pytest.raises(duckdb.BinderException):
            bench.query("SELECT refund_id FROM modeled.payments")

    # The load of the new release may come before its first export.
    bench.load()
    exported = bench.export()
    bench.load()

    assert exported.tables["payments"].days == len(read_manifest(bench.store, "payments").days)
    _require_all_equal(bench)
    assert bench.query("SELECT count(refund_id) > 0 FROM modeled.payments") == [(True,)]


def test_while_the_warehouse_is_away_the_export_goes_on(bench: WarehouseBench) -> None:
    _run(bench)
    _execute(bench, "UPDATE payments SET refunded_minor = 1 WHERE refunded_minor = 0")
    with open_duckdb(bench.file):  # another process would be refused; so is another configuration
        bench.export()
    bench.file.rename(bench.file.with_suffix(".away"))
    bench.file.mkdir()

    with pytest.raises(WarehouseUnavailableError, match="cannot be opened"):
        bench.load()

    bench.file.rmdir()
    bench.file.with_suffix(".away").rename(bench.file)
    bench.load()
    _require_all_equal(bench)


def test_one_export_of_a_database_runs_at_a_time(bench: WarehouseBench) -> None:
    with (
        closing(bench.connect()) as other,
        open_snapshot(other),
        pytest.raises(ExportRunningError, match="another export"),
    ):
        bench.export()


def test_totals_in_the_manifest_are_those_of_the_database(
    bench: WarehouseBench, analytics: Analytics
) -> None:
    bench.export()

    content = json.loads(bench.store.read("manifests/payments.json"))
    found = sum(Decimal(day["sums"]["amount_minor"]) for day in content["days"])

    assert analytics.rows("SELECT sum(amount_minor) FROM payments") == [(found,)]


@pytest.mark.parametrize("table", EXPORTED, ids=lambda table: str(table.name))
def test_every_column_of_a_table_is_exported(analytics: Analytics, table: ExportedTable) -> None:
    columns = analytics.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", table.name
    )
    keys = analytics.rows(
        "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)"
        " WHERE indrelid = %s::regclass AND indisprimary",
        table.name,
    )

    assert _names(columns) == set(table.names)
    assert _names(keys) == set(table.key)
    assert tables.BY_NAME[table.name] is table


def _in_utc(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def _names(rows: Iterable[tuple[str, ...]]) -> set[str]:
    return {name for (name,) in rows}
