"""An inspection shows each guess with its reason, and asks what the values leave open."""

from pathlib import Path

import pytest

from services.datasets.domain import ColumnType, FileRefusedError, Inspection
from services.datasets.inspection import inspect


def _inspected(folder: Path, text: str, encoding: str = "utf-8") -> Inspection:
    path = folder / "file.csv"
    path.write_bytes(text.encode(encoding))
    return inspect(path)


def _reason(found: Inspection, subject: str) -> str:
    return next(guess.reason for guess in found.guesses if guess.subject == subject)


def test_every_decision_has_its_reason(tmp_path: Path) -> None:
    found = _inspected(tmp_path, "name;day\nzoë;13/01/2026\nbob;01/02/2026\n", "cp1252")

    assert [guess.subject for guess in found.guesses] == [
        *("encoding", "delimiter", "header", "column name", "column day"),
    ]
    assert "byte 0xEB in line 2 is not UTF-8" in _reason(found, "encoding")
    assert "13/01/2026 has one reading only" in _reason(found, "column day")


def test_dates_of_both_orders_are_asked(tmp_path: Path) -> None:
    found = _inspected(tmp_path, "day\n01/02/2026\n03/04/2026\n")

    assert [(column.name, column.question) for column in found.questions] == [("day", "date-order")]
    assert "01/02/2026 and others can be read in two ways" in _reason(found, "column day")


def test_a_date_that_is_the_same_in_both_orders_asks_nothing(tmp_path: Path) -> None:
    assert not _inspected(tmp_path, "day\n01/01/2026\n02/02/2026\n").questions


def test_an_answer_decides_a_column(tmp_path: Path) -> None:
    recipe = _inspected(tmp_path, "day\n01/02/2026\n").recipe

    assert recipe.answered({"day": "mdy"}, {}, {}).columns[0].order == "mdy"
    assert recipe.answered({}, {}, {"day": ColumnType.TEXT}).columns[0].question is None
    with pytest.raises(FileRefusedError, match=r"no column date"):
        recipe.answered({"date": "mdy"}, {}, {})


def test_twenty_rows_are_shown_as_they_are(tmp_path: Path) -> None:
    found = _inspected(tmp_path, "n\n" + "".join(f"{at}\n" for at in range(30)))

    assert found.sample[0] == ("0",)
    assert len(found.sample) == 20


def test_an_unknown_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("n\n1\n", encoding="utf-8")

    with pytest.raises(FileRefusedError, match=r"unknown encoding klingon; choose one of utf-8"):
        inspect(path, encoding="klingon")
    assert inspect(path, encoding="cp1250").recipe.encoding == "cp1250"
