"""`pulsequeue sql` reads the warehouse and the exported files, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.warehouse.query import Reader, open_reader
from services.warehouse.warehouse import QueryRefusedError, WarehouseUnavailableError
from tests.support.warehouse import an_export


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    warehouse, export = an_export(tmp_path)
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with open_reader(warehouse, export) as opened:
        yield opened


def test_modeled_raw_and_exported_rows_are_read_by_their_names(reader: Reader) -> None:
    for name in ("orders", "raw.orders", "files.orders"):
        answer = reader.query(f"SELECT order_id, amount_minor FROM {name} ORDER BY 1")
        assert (answer.columns, answer.rows) == (["order_id", "amount_minor"], [("o1", 100), ("o2", 250)])


def test_a_limit_returns_no_more_rows(reader: Reader) -> None:
    assert len(reader.query("FROM orders", limit=1).rows) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO orders (order_id) VALUES ('x')",
        "DELETE FROM orders",
        "CREATE TABLE mine AS SELECT 1",
        "DROP TABLE orders",
        "SELECT 1; SELECT 2",
        "",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '{folder}/other.duckdb'",
        "COPY orders TO '{folder}/out.csv'",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM read_text('{folder}/export/files/../../secret.csv')",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT nothing FROM orders",
        "SELEC 1",
    ],
)
def test_anything_but_one_read_is_refused(reader: Reader, tmp_path: Path, statement: str) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))

    with pytest.raises(QueryRefusedError):
        reader.query(statement.replace("{folder}", str(tmp_path)))

    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert len(reader.query("FROM orders").rows) == 2


def test_an_exported_file_can_be_read_by_its_path(reader: Reader, tmp_path: Path) -> None:
    files = tmp_path / "export" / "files" / "orders"

    assert reader.query(f"SELECT count(*) FROM read_parquet('{files}/*/*.parquet')").rows == [(2,)]


def test_a_damaged_warehouse_is_said_to_be_unavailable(tmp_path: Path) -> None:
    warehouse, export = an_export(tmp_path)
    warehouse.write_bytes(b"not a database")

    with (
        pytest.raises(WarehouseUnavailableError, match=r"warehouse\.duckdb"),
        open_reader(warehouse, export),
    ):
        pytest.fail("it was opened")
