"""Datasets as deployed: a file goes by its form through S3, the queue and the function, and is charted."""

from pathlib import Path

import pytest

from scripts.common.errors import ToolError
from scripts.environment.cognito import token
from scripts.environment.local_state import StackState
from scripts.ops.api_client import ApiClient
from scripts.ops.datasets.upload import send_file
from tests.conftest import RunningStack
from tests.integration.test_cli import Program, pulsequeue

pytestmark = pytest.mark.stack
__all__ = ["pulsequeue"]  # a fixture

ROWS = "".join(f"2026-01-{day:02},{'North' if day % 2 else 'South'},{day}.50\n" for day in range(1, 29))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(f"day,region,price\n{ROWS}2026-01-30,North,dear\n", encoding="utf-8")
    return path


def test_a_file_is_uploaded_loaded_charted_corrected_and_deleted(pulsequeue: Program, file: Path) -> None:
    loaded = pulsequeue("dataset", "upload", str(file), "--yes", "--json")
    assert loaded.code == 0, loaded.err
    dataset = loaded.json["id"]
    assert [loaded.json["load"][it] for it in ("state", "records", "loaded", "rejected")] == [
        "ready",
        29,
        28,
        1,
    ]
    assert [it["line"] for it in loaded.json["errors"]] == [30]

    rejects = file.with_name("rejects.csv")
    assert "1 rows of load 1" in pulsequeue("dataset", "errors", dataset, "--to", str(rejects)).out
    assert "dear" in rejects.read_text(encoding="utf-8-sig")
    points = pulsequeue("dataset", "series", dataset, "--by", "region", "--json").json["points"]
    assert {it["member"]: (it["count"], it["sum"]) for it in points} == {
        "North": (14, 203.0),
        "South": (14, 217.0),
    }

    file.write_text(file.read_text(encoding="utf-8").replace("dear", "1.00"), encoding="utf-8")
    again = pulsequeue("dataset", "upload", str(file), "--dataset", dataset, "--yes", "--json").json
    assert (again["load"]["loadId"], again["load"]["rejected"], again["rows"]) == (2, 0, 29)
    same = pulsequeue("dataset", "upload", str(file), "--dataset", dataset, "--yes")
    assert "Nothing changed: the same file is loaded already, as load 2." in same.out

    assert pulsequeue("dataset", "rm", dataset).code == 2
    assert pulsequeue("dataset", "rm", dataset, "--yes").code == 0
    assert pulsequeue("dataset", "errors", dataset).code == 1


def test_a_file_that_can_be_read_in_two_ways_is_loaded_after_an_answer(
    pulsequeue: Program, tmp_path: Path
) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("day,visits\n01/03/2026,1\n02/03/2026,2\n", encoding="utf-8")

    asked = pulsequeue("dataset", "upload", str(path), "--yes")
    assert asked.code == 2
    dataset = asked.err.partition("dataset load ")[2].split()[0]
    loaded = pulsequeue("dataset", "load", dataset, "--date-order", "day=dmy", "--json")

    assert loaded.json["firstAt"].startswith("2026-03-01")
    pulsequeue("dataset", "rm", dataset, "--yes")


def test_a_form_takes_one_file_of_its_size_under_its_key(stack: RunningStack, tmp_path: Path) -> None:
    state = StackState.read(stack.home)
    assert state is not None
    assert state.api_url is not None
    password = state.users_password
    api = ApiClient(state.api_url, lambda: token(stack.environment, "editor", password))
    form = api.call("POST", "/api/datasets", {"name": "Forms", "fileName": "x.csv"})
    path = tmp_path / "x.csv"
    path.write_text("day,price\n2026-01-01,1\n", encoding="utf-8")

    with pytest.raises(ToolError, match="not accepted"):
        send_file(form["url"], {**form["fields"], "key": "another/key/1"}, path, lambda _sent: None)
    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(ToolError, match="not accepted"):
        send_file(form["url"], form["fields"], empty, lambda _sent: None)
    send_file(form["url"], form["fields"], path, lambda _sent: None)
    api.call("DELETE", f"/api/datasets/{form['datasetId']}")
