"""`pulsequeue dataset` shows how a file is read, and converts it with that recipe."""

import json
from pathlib import Path

import pytest

from tests.unit.conftest import CommandLine

SALES = "id,day,amount\n1,13/01/2026,10.50\n2,02/01/2026,x\n" + "3,15/01/2026,2.25\n" * 9


def _file(folder: Path, text: str, name: str = "sales.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_inspect_shows_guesses_with_reasons_and_the_first_rows(
    pulsequeue: CommandLine, tmp_path: Path
) -> None:
    shown = pulsequeue("dataset", "inspect", _file(tmp_path, SALES))

    assert shown.code == 0
    assert "13/01/2026 has one reading only" in " ".join(shown.out.split())
    assert ["2", "02/01/2026", "x"] in [line.split() for line in shown.out.splitlines()]


def test_convert_writes_rows_rejects_and_the_recipe(pulsequeue: CommandLine, tmp_path: Path) -> None:
    out = tmp_path / "out"

    converted = pulsequeue("dataset", "convert", _file(tmp_path, SALES), "--to", str(out))

    assert converted.code == 0
    assert "11 records: 10 loaded, 1 rejected." in converted.out
    assert {path.name for path in out.iterdir()} == {"data.parquet", "rejects.csv", "recipe.json"}
    assert json.loads((out / "recipe.json").read_text(encoding="utf-8"))["columns"][1]["order"] == "dmy"


def test_the_saved_recipe_reads_the_next_file(pulsequeue: CommandLine, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    pulsequeue("dataset", "convert", _file(tmp_path, SALES), "--to", str(first))
    next_file = _file(tmp_path, "id,day,amount\n4,01/02/2026,1\n", "next.csv")

    again = pulsequeue(
        *("dataset", "convert", next_file, "--to", str(second)),
        *("--recipe", str(first / "recipe.json"), "--json"),
    )

    assert again.code == 0
    assert again.json["loaded"] == 1


def test_an_open_question_is_answered_by_an_option(pulsequeue: CommandLine, tmp_path: Path) -> None:
    file, out = _file(tmp_path, "day\n01/02/2026\n"), str(tmp_path / "out")

    requested = pulsequeue("dataset", "convert", file, "--to", out)
    answered = pulsequeue("dataset", "convert", file, "--to", out, "--date-order", "day=mdy")

    assert requested.code == 2
    assert "--date-order 'day=dmy'" in requested.err
    assert answered.code == 0


@pytest.mark.parametrize("answer", ["day", "day=ddd", "=dmy"])
def test_an_answer_that_means_nothing_is_refused(
    pulsequeue: CommandLine, tmp_path: Path, answer: str
) -> None:
    file = _file(tmp_path, SALES)

    refused = pulsequeue("dataset", "convert", file, "--to", str(tmp_path), "--date-order", answer)

    assert refused.code == 2
    assert "give COLUMN=VALUE, with one of ymd dmy mdy" in refused.err


def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(
    pulsequeue: CommandLine, tmp_path: Path
) -> None:
    refused = pulsequeue("dataset", "inspect", _file(tmp_path, ""))

    assert refused.code == 1
    assert "sales.csv: the file is empty; nothing can be loaded from it." in refused.err


def test_rows_that_all_fail_are_a_failure(pulsequeue: CommandLine, tmp_path: Path) -> None:
    file = _file(tmp_path, "a,b\nx,y\n")

    failed = pulsequeue("dataset", "convert", file, "--to", str(tmp_path / "out"), "--type", "b=integer")

    assert failed.code == 1
    assert "no record fits the columns" in failed.err
