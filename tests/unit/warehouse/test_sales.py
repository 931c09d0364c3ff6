"""Sales from a file, the kept snapshot of the pipeline, and the live answer beside it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.warehouse import sales
from services.warehouse.adapters.duckdb_warehouse import DuckDBWarehouse, open_duckdb
from services.warehouse.loader import Loader
from services.warehouse.sales import PipelineMissingError, SalesFileError
from services.warehouse.store import FolderStore
from tests.support.warehouse import an_export

NOW = datetime(2026, 6, 20, 2, 0, tzinfo=UTC)
HEADER = "SALE_ID,PRODUCT,REGION,AMOUNT,STAGE,CUSTOMER_NAME,SALE_DATE,STATUS\n"
PUBLISHED = (
    (1, "Sage Intacct", "North", 150_000, "Negotiation", "Acme Corp", 15, "Closed"),
    (2, "Sage Intacct", "North", 75_000, "Proposal", "TechStart", 20, "Open"),
    (3, "Sage Payroll", "South", 45_000, "Qualification", "MidCorp", 10, "Open"),
    (4, "Sage HR", "East", 30_000, "Negotiation", "SmallBiz", 5, "Closed"),
    (5, "Sage 50", "West", 22_000, "Prospecting", "Startup", 8, "Closed"),
    (6, "Sage Intacct", "North", 95_000, "Negotiation", "BigEnterprise", 3, "Closed"),
    (7, "Sage Payroll", "South", 42_000, "Proposal", "RetailCo", 2, "Open"),
    (8, "Sage HR", "West", 31_000, "Qualification", "ServiceInc", 4, "Closed"),
)
ONE_MORE = ((99, "Sage Intacct", "East", 200_000, "Negotiation", "NewClient", 0, "Closed"),)

Row = tuple[int, str, str, int, str, str, int, str]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with open_duckdb(tmp_path / "warehouse.duckdb") as opened:
        opened.prepare()
        yield opened


def _file(folder: Path, rows: tuple[Row, ...]) -> Path:
    lines = [
        ",".join(map(str, (*row[:6], (NOW - timedelta(days=row[6])).date(), row[7]))) + "\n" for row in rows
    ]
    path = folder / "fct_sales.csv"
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def _import(warehouse: DuckDBWarehouse, folder: Path, rows: tuple[Row, ...]) -> None:
    sales.import_sales(warehouse.run, sales.read_sales(_file(folder, rows), "acme", "USD"))


def _whole(rows: tuple[sales.PipelineRow, ...]) -> dict[str | None, int]:
    return {row.name: row.amount_minor // 100 for row in rows}


def test_the_snapshot_stays_as_it_was_while_the_live_answer_changes(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "export")
    _import(warehouse, tmp_path, PUBLISHED)
    sales.refresh(warehouse.run, store, "acme", NOW)

    by_region = sales.current(store, "acme", "region")
    assert _whole(by_region.rows) == {"North": 320_000, "South": 87_000, "West": 53_000, "East": 30_000}
    by_product = sales.current(store, "acme", "product")
    assert _whole(by_product.rows) == {
        "Sage Intacct": 320_000,
        "Sage Payroll": 87_000,
        "Sage HR": 61_000,
        "Sage 50": 22_000,
    }

    _import(warehouse, tmp_path, ONE_MORE)
    assert sum(_whole(sales.last_month(warehouse.run, "acme", NOW)).values()) == 690_000
    stored = sales.current(store, "acme", "region")
    assert (sum(_whole(stored.rows).values()), stored.etag, stored.as_of) == (490_000, by_region.etag, NOW)

    later = NOW + timedelta(days=1)
    sales.refresh(warehouse.run, store, "acme", later)
    renewed = sales.current(store, "acme", "region")
    assert (sum(_whole(renewed.rows).values()), renewed.as_of) == (690_000, later)
    assert renewed.etag != by_region.etag


def test_the_etag_changes_with_the_rows_and_not_with_the_time(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "export")
    _import(warehouse, tmp_path, PUBLISHED)

    first = sales.refresh(warehouse.run, store, "acme", NOW)
    second = sales.refresh(warehouse.run, store, "acme", NOW + timedelta(hours=1))

    assert [it.etag for it in first] == [it.etag for it in second]
    assert len({it.etag for it in first}) == 2


def test_the_last_month_leaves_out_what_is_older(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    _import(
        warehouse, tmp_path, ((1, "p", "r", 5, "s", "c", 30, "Open"), (2, "p", "r", 7, "s", "c", 31, "Open"))
    )

    assert _whole(sales.last_month(warehouse.run, "acme", NOW)) == {"r": 5}


def test_a_refresh_that_dies_before_its_pointer_changes_nothing(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    class DyingStore(FolderStore):
        def write(self, key: str, content: bytes) -> None:
            if key.endswith("current.json"):
                raise InterruptedError
            super().write(key, content)

    store = FolderStore(tmp_path / "export")
    _import(warehouse, tmp_path, PUBLISHED)
    sales.refresh(warehouse.run, store, "acme", NOW)
    _import(warehouse, tmp_path, ONE_MORE)

    with pytest.raises(InterruptedError):
        sales.refresh(warehouse.run, DyingStore(store.folder), "acme", NOW + timedelta(days=1))

    assert sum(_whole(sales.current(store, "acme", "region").rows).values()) == 490_000


def test_sales_of_a_file_outlive_loads_and_replace_themselves(tmp_path: Path) -> None:
    an_export(tmp_path)
    with open_duckdb(tmp_path / "warehouse.duckdb") as warehouse:
        _import(warehouse, tmp_path, PUBLISHED)
        _import(warehouse, tmp_path, PUBLISHED)
        warehouse.run("DELETE FROM raw.loads")

        loaded = Loader(FolderStore(tmp_path / "export"), warehouse, tmp_path).run(NOW)

        assert loaded.rows == 2
        assert warehouse.run("SELECT count(*) FROM modeled.fct_sales") == [(8,)]


def test_tenants_do_not_see_each_other(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "export")
    _import(warehouse, tmp_path, PUBLISHED)

    assert sales.last_month(warehouse.run, "globex", NOW) == ()
    sales.refresh(warehouse.run, store, "acme", NOW)
    with pytest.raises(PipelineMissingError, match="pipeline refresh"):
        sales.current(store, "globex", "region")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SALE_ID,PRODUCT\n1,x\n", "lacks the columns region, amount"),
        (HEADER + "1,p,r,ten,s,c,2026-01-31,Open\n", "line 2: amount 'ten'"),
        (HEADER + "1,p,r,10,s,c,31/01/2026,Open\n", "sale_date '31/01/2026'"),
        (HEADER + "1,p,r,0.001,s,c,2026-01-31,Open\n", "whole cents"),
        (HEADER + ",p,r,1,s,c,2026-01-31,Open\n", "needs an id"),
        (HEADER + "1,p,r,1,s,c,2026-01-31,Open\n" * 2, "more than once"),
        ("", "lacks the columns"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "sales.csv"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SalesFileError, match=message):
        sales.read_sales(file, "acme", "USD")
