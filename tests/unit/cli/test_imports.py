"""`pulsequeue import` shows what would be done, and changes nothing without --yes."""

import csv
import json
from pathlib import Path

import pytest

from tests.unit.conftest import CommandLine

SALES = """InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,cup,6,12/13/2010 8:26,2.55,17850,UK
1,jug,-1,12/13/2010 8:26,3.39,17850,UK
2,=cup,x,12/14/2010 8:34,4.25,13047,UK
"""


def _file(folder: Path, text: str, name: str = "sales.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_a_dry_run_shows_guesses_rejects_and_sums(pulsequeue: CommandLine, tmp_path: Path) -> None:
    shown = pulsequeue("import", "orders", _file(tmp_path, SALES), "--set", "currency=GBP")

    lines = [line.split() for line in shown.out.splitlines()]
    assert shown.code == 0
    assert ["order", "InvoiceNo", "guessed", "by", "its", "name"] in lines
    assert ["4", "Quantity", "not", "a", "number", "such", "as", "1234.56", "x"] in lines
    assert ["GBP", "1", "15.30", "3.39"] in lines
    assert "3 rows: 2 fit, 1 rejected." in shown.out
    assert "Nothing changed; repeat with --yes" in " ".join(shown.err.split())
    assert max(map(len, shown.out.splitlines())) <= 80


def test_all_rejects_and_the_mapping_can_be_written(pulsequeue: CommandLine, tmp_path: Path) -> None:
    rejects, saved = tmp_path / "rejects.csv", tmp_path / "mapping.json"
    first = pulsequeue(
        *("import", "orders", _file(tmp_path, SALES), "--set", "currency=GBP", "--map", "channel=Country"),
        *("--rejects", str(rejects), "--save-mapping", str(saved), "--json"),
    )

    again = pulsequeue("import", "orders", _file(tmp_path, SALES), "--mapping", str(saved), "--json")

    assert first.code == again.code == 0
    assert first.json["currencies"] == {"GBP": {"count": 1, "amountMinor": 1530, "returnedMinor": 339}}
    assert json.loads(saved.read_text(encoding="utf-8"))["columns"]["channel"] == "Country"
    assert again.json["importId"] == first.json["importId"]
    with rejects.open(encoding="utf-8-sig", newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == ["4"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (SALES, (), "no column for currency; name it with --map currency=COLUMN"),
        (SALES, ("--map", "currency"), "--map currency: give it as NAME=VALUE."),
        (SALES, ("--set", "currency=GBP", "--decimal", ";"), "the mapping is not valid: decimal"),
        (SALES, ("--mapping", "nowhere.json"), "cannot read nowhere.json: No such file or directory."),
    ],
)
def test_what_cannot_be_understood_is_explained(
    pulsequeue: CommandLine, tmp_path: Path, text: str, options: tuple[str, ...], message: str
) -> None:
    refused = pulsequeue("import", "orders", _file(tmp_path, text), *options)

    assert refused.code == 2
    assert message in " ".join(refused.err.split())
    assert "Traceback" not in refused.err


def test_a_file_without_a_row_that_fits_is_an_error(pulsequeue: CommandLine, tmp_path: Path) -> None:
    bad = SALES.splitlines()[0] + "\n2,cup,x,12/14/2010 8:34,4.25,13047,UK\n"

    refused = pulsequeue("import", "orders", _file(tmp_path, bad), "--set", "currency=GBP", "--yes")

    assert refused.code == 1
    assert "no row of sales.csv can be imported" in " ".join(refused.err.split())


def test_a_file_without_names_of_columns_is_refused(pulsequeue: CommandLine, tmp_path: Path) -> None:
    refused = pulsequeue("import", "subscriptions", _file(tmp_path, "1,2,3\n4,5,6\n"))

    assert refused.code == 1
    assert "its first row holds no names of columns" in " ".join(refused.err.split())
