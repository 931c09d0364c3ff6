"""`pulsequeue monitoring` without a running stack."""

from pathlib import Path

import pytest

from scripts.environment.local_state import HOME_VARIABLE
from tests.unit.conftest import CommandLine


@pytest.fixture(autouse=True)
def _no_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "none"))


def test_up_without_a_stack_says_how_to_start_one(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("monitoring", "up")

    assert ran.code == 1
    assert ran.err.splitlines()[-1] == "pulsequeue: the local stack is not running; start it with `make up`."


def test_down_without_monitoring_is_no_error(pulsequeue: CommandLine, tmp_path: Path) -> None:
    assert pulsequeue("monitoring", "down").out == "Monitoring was not running.\n"
    assert pulsequeue("monitoring", "down", "--json").json == {"stopped": False}
    assert pulsequeue("--json", "monitoring", "down").json == {"stopped": False}
    assert not (tmp_path / "none").exists()
