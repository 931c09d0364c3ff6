"""What every warehouse does with the days of an export: one suite for DuckDB and Snowflake.

Snowflake is the real connector against a stand-in server: docs/snowflake.md says what that shows.
"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from fakesnow import server as snowflake_server

from services.warehouse import models
from services.warehouse.adapters.duckdb_warehouse import open_duckdb
from services.warehouse.adapters.parquet import ParquetFiles, open_parquet
from services.warehouse.adapters.snowflake_warehouse import STAGE, SnowflakeWarehouse, open_snowflake
from services.warehouse.manifest import ExportedDay
from services.warehouse.store import FolderStore
from services.warehouse.tables import EXPORTED, ORDER_ITEMS, ORDERS, ExportedTable
from services.warehouse.warehouse import (
    DayFile,
    LoadMismatchError,
    QueryRefusedError,
    Warehouse,
    WarehouseUnavailableError,
)
from tests.support.warehouse import exported_days

# Of the stand-in: it fetches its answers as Arrow tables.
pytestmark = pytest.mark.filterwarnings("ignore:Arrow output on a DB-API result:UserWarning")

NOW = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)
TIMEOUTS = {"login_timeout": 20, "network_timeout": 5}
"""The stand-in hangs on some statements: no call waits for ever."""

Row = Mapping[str, object]


class Query(Protocol):
    def __call__(self, statement: str) -> Sequence[tuple[Any, ...]]: ...


@dataclass
class Place:
    """A warehouse, and an export that it can read."""

    warehouse: Warehouse
    query: Query
    store: FolderStore
    files: ParquetFiles
    folder: Path
    exports: int = 0

    def load(self, table: ExportedTable, rows: Mapping[date, Sequence[Row]]) -> Sequence[ExportedDay]:
        days = self.export(table, rows)
        self.warehouse.load(table, self.fetched(days), NOW)
        return days

    def export(self, table: ExportedTable, rows: Mapping[date, Sequence[Row]]) -> Sequence[ExportedDay]:
        self.exports += 1
        folder = self.folder / f"export-{self.exports}"
        folder.mkdir()
        text = folder / "rows.csv"
        lines = [_line(table, day, row) for day, some in rows.items() for row in some]
        text.write_text("".join(lines), encoding="utf-8")
        paths = dict(self.files.write(table, text, folder))
        for day in rows:
            if day not in paths:
                paths[day] = self.files.write_empty(table, folder)
        version = f"2026020{self.exports}T000000.000000Z"
        return exported_days(self.store, self.files, table, paths, version)

    def fetched(self, days: Sequence[ExportedDay]) -> Sequence[DayFile]:
        return [DayFile(day, self.store.fetch(day.file, self.folder)) for day in days]


@contextmanager
def _in_duckdb(folder: Path) -> Iterator[tuple[Warehouse, Query]]:
    with open_duckdb(folder / "warehouse.duckdb") as warehouse:
        yield warehouse, warehouse.run


@contextmanager
def _in_snowflake(folder: Path) -> Iterator[tuple[Warehouse, Query]]:
    with snowflake_server(session_parameters={"FAKESNOW_DB_PATH": ":isolated:"}) as given:
        parameters = {**given, **TIMEOUTS, "database": "PULSEQUEUE", "schema": "RAW"}
        with open_snowflake(parameters) as warehouse:
            bounded = SnowflakeWarehouse(warehouse._connection, seconds=20)  # noqa: SLF001 - with a time limit
            bounded.run("CREATE SCHEMA IF NOT EXISTS raw")
            url = (folder / "export").as_uri()
            bounded.run(f"CREATE STAGE {STAGE} URL = '{url}/' FILE_FORMAT = (TYPE = PARQUET)")
            yield bounded, bounded.run


@pytest.fixture(params=[_in_duckdb, _in_snowflake], ids=["duckdb", "snowflake"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    opened: Callable[[Path], Any] = request.param
    with ExitStack() as stack:
        warehouse, query = stack.enter_context(opened(tmp_path))
        files = stack.enter_context(open_parquet(tmp_path))
        warehouse.prepare()
        yield Place(warehouse, query, FolderStore(tmp_path / "export"), files, tmp_path)


def _line(table: ExportedTable, day: date, row: Row) -> str:
    values = [day.isoformat(), *(row.get(name) for name in table.names)]
    return ",".join(r"\N" if it is None else '"' + str(it).replace('"', '""') + '"' for it in values) + "\n"


def _order(order: str, **more: object) -> Row:
    return {
        "tenant_id": "acme",
        "order_id": order,
        "customer_id": "c1",
        "status": "CONFIRMED",
        "region": "north",
        "amount_minor": 100,
        "currency": "EUR",
        "units": 1,
        "placed_at": "2026-01-05 10:00:00.000001",
        "version": 3,
        "created_at": "2026-01-05 10:00:01",
        "updated_at": "2026-01-05 10:00:02.123456",
        **more,
    }


def _item(order: str, sku: str, total: int) -> Row:
    return {
        "tenant_id": "acme",
        "order_id": order,
        "sku": sku,
        "quantity": 1,
        "total_minor": total,
        "created_at": "2026-01-05 10:00:01",
        "updated_at": "2026-01-05 10:00:02",
    }


def _orders(place: Place) -> Sequence[tuple[Any, ...]]:
    return place.query("SELECT export_day, order_id, amount_minor FROM modeled.orders ORDER BY 2")


def test_days_are_loaded_with_their_totals_and_versions(place: Place) -> None:
    days = place.load(
        ORDERS, {FIRST: [_order("o1"), _order("o2", amount_minor=None)], SECOND: [_order("o3")]}
    )

    assert place.warehouse.totals(ORDERS) == {day.day: day.totals for day in days}
    assert place.warehouse.loaded() == {("orders", day.day): day.version for day in days}
    assert _orders(place) == [(FIRST, "o1", 100), (FIRST, "o2", None), (SECOND, "o3", 100)]


def test_sums_are_exact_where_a_float_is_not(place: Place) -> None:
    big = 9_007_199_254_740_993
    place.load(ORDERS, {FIRST: [_order(f"o{at}", amount_minor=big) for at in range(7)]})

    assert place.warehouse.totals(ORDERS)[FIRST].sums["amount_minor"] == 7 * big


def test_loading_a_day_twice_changes_nothing(place: Place) -> None:
    days = place.load(ORDERS, {FIRST: [_order("o1"), _order("o2")]})
    before = _orders(place)

    place.warehouse.load(ORDERS, place.fetched(days), NOW)

    assert _orders(place) == before
    assert place.warehouse.totals(ORDERS) == {FIRST: days[0].totals}


def test_a_day_that_comes_again_updates_adds_and_removes_rows(place: Place) -> None:
    place.load(ORDERS, {FIRST: [_order("o1"), _order("o2"), _order("o3")], SECOND: [_order("o4")]})

    place.load(ORDERS, {FIRST: [_order("o1"), _order("o2", amount_minor=7), _order("o5")]})

    assert _orders(place) == [
        (FIRST, "o1", 100),
        (FIRST, "o2", 7),
        (SECOND, "o4", 100),
        (FIRST, "o5", 100),
    ]


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_row_that_moves_to_another_day_is_there_once(place: Place, newest_first: bool) -> None:
    place.load(ORDERS, {FIRST: [_order("o1"), _order("o2")]})
    moved = place.export(ORDERS, {FIRST: [_order("o1")], SECOND: [_order("o2")]})

    for day in sorted(moved, key=lambda it: it.day, reverse=newest_first):
        place.warehouse.load(ORDERS, place.fetched([day]), NOW)

    assert _orders(place) == [(FIRST, "o1", 100), (SECOND, "o2", 100)]


def test_a_day_without_rows_empties_it(place: Place) -> None:
    place.load(ORDERS, {FIRST: [_order("o1")]})

    place.load(ORDERS, {FIRST: []})

    assert place.warehouse.totals(ORDERS) == {}


def test_sales_follow_the_status_of_their_orders(place: Place) -> None:
    def sales() -> Sequence[tuple[Any, ...]]:
        return place.query(
            "SELECT sale_id, product, amount_minor, stage, status FROM modeled.fct_sales ORDER BY 1"
        )

    place.load(ORDERS, {FIRST: [_order("o1"), _order("o2", status="RESERVED")]})
    place.load(ORDER_ITEMS, {FIRST: [_item("o1", "a", 60), _item("o1", "b", 40), _item("o2", "a", 5)]})
    assert sales() == [
        ("o1/a", "a", 60, "Won", "Closed"),
        ("o1/b", "b", 40, "Won", "Closed"),
        ("o2/a", "a", 5, "Negotiation", "Open"),
    ]

    place.load(ORDERS, {FIRST: [_order("o1", status="REFUNDED"), _order("o2")]})
    assert sales() == [("o2/a", "a", 5, "Won", "Closed")]


def test_another_number_of_rows_than_the_manifest_names_loads_nothing(place: Place) -> None:
    place.load(ORDERS, {FIRST: [_order("o1")]})
    (day,) = place.export(ORDERS, {FIRST: [_order("o1", amount_minor=1), _order("o2")]})
    wrong = replace(place.fetched([day])[0], day=day.model_copy(update={"rows": 3}))

    with pytest.raises(LoadMismatchError, match="2 rows were read, the manifest names 3"):
        place.warehouse.load(ORDERS, [wrong], NOW)

    assert _orders(place) == [(FIRST, "o1", 100)]
    assert place.query("SELECT count(*) FROM raw.orders") == [(1,)]


def test_preparing_again_adds_missing_columns_and_keeps_rows(place: Place) -> None:
    place.load(ORDERS, {FIRST: [_order("o1", channel="web")]})
    for schema in (models.RAW, models.MODELED):
        place.query(f"ALTER TABLE {schema}.orders DROP COLUMN channel")

    place.warehouse.prepare()
    place.warehouse.prepare()
    assert place.query("SELECT order_id, channel FROM modeled.orders") == [("o1", None)]

    place.load(ORDERS, {FIRST: [_order("o1", channel="web")]})
    assert place.query("SELECT order_id, channel FROM modeled.orders") == [("o1", "web")]


def test_every_table_is_made_empty(place: Place) -> None:
    for table in EXPORTED:
        assert place.warehouse.totals(table) == {}, table.name
    assert place.query("SELECT count(*) FROM modeled.fct_sales") == [(0,)]


def test_a_server_that_is_away_is_said_to_be_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    away = {
        "user": "u", "password": "p", "account": "a",
        "host": "127.0.0.1", "port": port, "protocol": "http",
        "login_timeout": 1, "network_timeout": 1,
    }  # fmt: skip

    with pytest.raises(WarehouseUnavailableError, match="does not answer"), open_snowflake(away):
        pytest.fail("it was opened")


def test_a_statement_that_snowflake_refuses_is_named(tmp_path: Path) -> None:
    with _in_snowflake(tmp_path) as (_, query), pytest.raises(QueryRefusedError, match="Snowflake refused"):
        query("SELECT nothing FROM raw.nowhere")
