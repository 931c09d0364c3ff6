"""`pulsequeue sql`, `export` and `warehouse`: what is printed, and what is refused."""

import shutil
from pathlib import Path

import pytest

from scripts.environment.local_state import HOME_VARIABLE
from tests.support.warehouse import an_export
from tests.unit.conftest import CommandLine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with two exported orders, and no stack that runs."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    folder = tmp_path / "data" / "warehouse"
    folder.mkdir(parents=True)
    an_export(folder)
    return tmp_path


@pytest.mark.usefixtures("home")
def test_sql_prints_a_table_json_or_csv(pulsequeue: CommandLine) -> None:
    statement = "SELECT order_id, amount_minor, placed_at FROM orders ORDER BY 1"

    table, as_json = pulsequeue("sql", statement), pulsequeue("sql", statement, "--json")
    as_csv = pulsequeue("sql", "-", "--csv", stdin=statement)

    assert ["o2", "250", "2026-01-05", "10:00:00.500000"] in [it.split() for it in table.out.splitlines()]
    assert as_json.json[0] == {
        "order_id": "o1",
        "amount_minor": 100,
        "placed_at": "2026-01-05T10:00:00.500000",
    }
    assert as_csv.out.splitlines()[:2] == [
        "order_id,amount_minor,placed_at",
        "o1,100,2026-01-05 10:00:00.500000",
    ]


@pytest.mark.usefixtures("home")
def test_sql_says_when_there_are_more_rows(pulsequeue: CommandLine) -> None:
    limited = pulsequeue("sql", "FROM orders", "--limit", "1", "--json")
    many = pulsequeue("sql", "FROM range(101)")

    assert (len(limited.json), "first 1 rows" in limited.err) == (1, True)
    assert "first 100 rows" in many.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("statement", "printed"),
    [
        ("DELETE FROM orders", "only SELECT is answered, not DELETE"),
        ("SELECT nothing FROM orders", '"nothing" not found'),
        ("FROM read_csv('/etc/passwd')", "only the exported files can be read"),
    ],
)
def test_sql_refuses_in_one_sentence(pulsequeue: CommandLine, statement: str, printed: str) -> None:
    refused = pulsequeue("sql", statement)

    assert (refused.code, refused.out) == (1, "")
    assert printed in refused.err


def test_without_an_export_sql_says_how_to_make_one(
    pulsequeue: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))

    refused = pulsequeue("sql", "FROM orders")

    assert refused.code == 1
    assert "run `pulsequeue export`" in refused.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("options", "printed"),
    [
        (("--table", "nothing"), "give one of orders, order_items"),
        (("--from", "yesterday"), "give a date such as"),
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from is after --to"),
    ],
)
def test_export_refuses_what_it_cannot_mean(
    pulsequeue: CommandLine, options: tuple[str, ...], printed: str
) -> None:
    refused = pulsequeue("export", *options)

    assert refused.code == 2
    assert printed in refused.err


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("line", [("export",), ("warehouse", "reconcile")])
def test_what_needs_the_database_says_that_the_stack_is_down(
    pulsequeue: CommandLine, line: tuple[str, ...]
) -> None:
    refused = pulsequeue(*line)

    assert refused.code == 1
    assert "start it with `make up`" in refused.err


def test_load_and_status_need_no_database(pulsequeue: CommandLine, home: Path) -> None:
    (home / "data/warehouse/warehouse.duckdb").unlink()

    before = pulsequeue("warehouse", "status", "--json")
    loaded = pulsequeue("warehouse", "load")
    after = pulsequeue("warehouse", "status", "--json")

    assert (before.json[0]["rows"], before.json[0]["daysToLoad"]) == (2, 2)
    assert "Loaded 2 rows of 2 days." in loaded.out
    assert after.json[0]["daysToLoad"] == 0


def test_load_fails_when_a_file_is_missing(pulsequeue: CommandLine, home: Path) -> None:
    (home / "data/warehouse/warehouse.duckdb").unlink()
    shutil.rmtree(home / "data/warehouse/export/files/orders/export_day=2026-01-06")

    loaded = pulsequeue("warehouse", "load")

    assert loaded.code == 1
    assert "its file is missing" in loaded.out
    assert "Loaded 1 rows of 1 days." in loaded.out


def test_a_pipeline_is_imported_kept_and_asked_for_live(pulsequeue: CommandLine, home: Path) -> None:
    file = home / "fct_sales.csv"
    today = pulsequeue.ops.clock.now().date()
    file.write_text(
        "sale_id,product,region,amount,stage,customer_name,sale_date,status\n"
        f"1,Tea,North,12.50,Proposal,Acme,{today},Open\n"
    )

    before = pulsequeue("pipeline", "show")
    imported = pulsequeue("pipeline", "import", str(file), "--currency", "eur")
    refreshed = pulsequeue("pipeline", "refresh")
    file.write_text(file.read_text().replace("1,Tea", "2,Tea"))
    pulsequeue("pipeline", "import", str(file), "--currency", "eur")
    stored, live = (
        pulsequeue("pipeline", "show", "--by", "product", "--json"),
        pulsequeue("pipeline", "live", "--json"),
    )

    assert (before.code, "run `pulsequeue pipeline refresh`" in before.err) == (1, True)
    assert (imported.code, refreshed.code) == (0, 0)
    assert ["North", "1", "1250", "EUR"] in [line.split() for line in refreshed.out.splitlines()]
    assert stored.json["rows"] == [{"name": "Tea", "currency": "EUR", "sales": 1, "amountMinor": 1250}]
    assert live.json["rows"] == [{"name": "North", "currency": "EUR", "sales": 2, "amountMinor": 2500}]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("line", "printed"),
    [
        (("pipeline", "show", "--by", "colour"), "give region or product"),
        (("pipeline", "import", "/nowhere/sales.csv"), "No such file"),
    ],
)
def test_pipeline_refuses_in_one_sentence(
    pulsequeue: CommandLine, line: tuple[str, ...], printed: str
) -> None:
    refused = pulsequeue(*line)

    assert refused.code == 2
    assert printed in refused.err
