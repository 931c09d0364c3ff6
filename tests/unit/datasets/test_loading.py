"""Every record of a file is loaded or rejected with its line, or nothing is loaded."""

import csv
import io
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.common.project_files import CHECKOUT
from services.datasets.domain import (
    DATA,
    REJECTS,
    Column,
    ColumnType,
    FileRefusedError,
    Recipe,
    RowsLostError,
)
from services.datasets.inspection import inspect
from services.datasets.loading import load
from tests.unit.datasets.messy_files import MESSY, Loads, Messy, Refused, described

NAME = Column(name="name", type=ColumnType.TEXT)
NUMBER = Column(name="n", type=ColumnType.INTEGER)
RECIPE = Recipe(encoding="utf-8", delimiter=",", columns=(NAME, NUMBER))


def _file(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _rows(folder: Path) -> list[tuple[Any, ...]]:
    return duckdb.connect().execute("select * from read_parquet(?)", [str(folder / DATA)]).fetchall()


def _rejects(folder: Path) -> list[dict[str, str]]:
    with (folder / REJECTS).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("messy", MESSY, ids=lambda messy: messy.name)
def test_a_messy_file_has_its_expected_outcome(messy: Messy, tmp_path: Path) -> None:
    path = _file(tmp_path, messy.content)
    outcome = messy.outcome
    if isinstance(outcome, Refused):
        with pytest.raises(FileRefusedError) as refused:
            load(path, inspect(path).recipe, tmp_path / "out")
        assert outcome.because in str(refused.value)
        assert not (tmp_path / "out").exists()
        return

    found = inspect(path)
    orders = {column.name: "dmy" for column in found.questions if column.question == "date-order"}
    decimals = {column.name: "." for column in found.questions if column.question == "decimal"}
    result = load(path, found.recipe.answered(orders, decimals, {}), tmp_path / "out")  # type: ignore[arg-type] # literals

    assert [column.name for column in found.questions] == list(outcome.questions)
    assert tuple(column.type for column in found.recipe.columns) == tuple(outcome.types)
    assert [(one.line, one.column, one.reason) for one in result.first_rejects] == list(outcome.rejects)
    assert (result.records, result.loaded) == (outcome.loaded + len(outcome.rejects), outcome.loaded)
    rows = _rows(tmp_path / "out")
    assert len(rows) == outcome.loaded
    if outcome.first:
        assert [_plain(value) for value in rows[0]] == list(outcome.first)


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float) else str(value)


def test_there_are_forty_messy_files_or_more() -> None:
    assert len({messy.name for messy in MESSY}) == len(MESSY) >= 40
    assert {type(messy.outcome) for messy in MESSY} == {Loads, Refused}


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.csv"
    with path.open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(FileRefusedError, match=r"1,073,741,824 bytes, over the limit"):
        inspect(path)


def test_rejects_name_line_column_reason_expectation_and_text(tmp_path: Path) -> None:
    path = _file(tmp_path, 'name,n\n"two\nlines",1\nann,=2\nbob\ncid,4\n')

    result = load(path, RECIPE, tmp_path / "out")

    assert (result.records, result.loaded, result.rejected) == (4, 2, 2)
    assert _rejects(tmp_path / "out") == [
        {
            "line": "4",
            "column": "n",
            "reason": "not an integer",
            "expected": "a whole number such as 1234",
            "raw": "'=2",
        },
        {"line": "5", "column": "", "reason": "too few cells", "expected": "2 cells", "raw": "bob"},
    ]


def test_a_record_with_two_faults_is_rejected_once(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"columns": (Column(name="name", type=ColumnType.INTEGER), NUMBER)})

    result = load(_file(tmp_path, "name,n\na,b\n1,2\n"), recipe, tmp_path / "out")

    assert (result.records, result.loaded, result.rejected) == (2, 1, 1)
    assert [one.column for one in result.first_rejects] == ["name", "n"]


def test_another_header_than_the_recipe_expects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match=r"missing: n; new: amount"):
        load(_file(tmp_path, "name,amount\nann,1\n"), RECIPE, tmp_path / "out")


def test_a_column_that_is_not_decided_is_refused(tmp_path: Path) -> None:
    recipe = RECIPE.model_copy(update={"columns": (NAME, Column(name="n", type=ColumnType.NUMBER))})

    with pytest.raises(FileRefusedError, match=r"two ways in n \(decimal\)"):
        load(_file(tmp_path, "name,n\nann,1\n"), recipe, tmp_path / "out")


def test_parsers_that_disagree_load_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter([2, 3])
    monkeypatch.setattr("services.datasets.loading.record_lines", lambda *_: counted)

    with pytest.raises(RowsLostError, match=r"one parser counts 2 records, the other 3"):
        load(_file(tmp_path, "name,n\nann,1\nbob,2\ncid,3\n"), RECIPE, tmp_path / "out")

    assert not (tmp_path / "out").exists()


_SHARED_FOLDER = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)
"""Each example writes the same file anew; on a busy machine examples take their time."""
_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
_NUMBERS = st.integers(-(10**20), 10**20).map(str) | st.sampled_from(["", "x", "1.5", "=2", "1e3"])


@settings(deadline=None, max_examples=40, suppress_health_check=_SHARED_FOLDER)
@given(
    rows=st.lists(st.lists(_CELLS, max_size=4) | st.tuples(_CELLS, _NUMBERS).map(list), max_size=30),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_well_formed_files_lose_no_record(rows: list[list[str]], line_end: str, tmp_path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([["name", "n"], *(row for row in rows if row)])
    path = _file(tmp_path, text.getvalue())

    try:
        result = load(path, RECIPE, tmp_path / "out")
    except FileRefusedError:
        # A broken row of several lines: one may not know where it ends.
        assert any(len(row) not in {0, 2} and any("\n" in cell for cell in row) for row in rows)
        return

    # Empty cells too many are the delimiters that some programs write at the end of a line.
    fitting = [row for row in rows if len(row) > 1 and not any(row[2:]) and _is_integer(row[1])]
    assert result.records == sum(bool(row) for row in rows) == result.loaded + result.rejected
    assert result.loaded == len(fitting) == len(_rows(tmp_path / "out"))
    assert len({reject["line"] for reject in _rejects(tmp_path / "out")}) == result.rejected


def _is_integer(text: str) -> bool:
    stripped = text.strip(" \t\n\u00a0")
    digits = stripped.removeprefix("-") if not stripped.startswith("+") else stripped[1:]
    return not stripped or (digits.isascii() and digits.isdigit() and len(digits) <= 18)


@settings(deadline=None, max_examples=60, suppress_health_check=_SHARED_FOLDER)
@given(text=st.text(st.sampled_from('ab1,;"\n\r \t\0=\\'), max_size=60))
def test_no_text_loses_a_record_in_silence(text: str, tmp_path: Path) -> None:
    path = _file(tmp_path, text)
    try:
        found = inspect(path)
        decimals = {column.name: "." for column in found.questions}
        result = load(path, found.recipe.answered({}, decimals, {}), tmp_path / "out")  # type: ignore[arg-type] # literals
    except (FileRefusedError, RowsLostError):
        return

    assert result.records == result.loaded + result.rejected
    assert len(_rows(tmp_path / "out")) == result.loaded


def test_the_table_of_messy_files_in_the_documentation_is_that_of_these_tests() -> None:
    page = (CHECKOUT / "docs" / "datasets.md").read_text(encoding="utf-8")
    _, _, table = page.partition("| file | outcome |\n|---|---|\n")

    assert table.splitlines() == [described(it) for it in MESSY]
