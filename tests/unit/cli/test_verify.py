"""`pulsequeue verify` prints each check once at a terminal, and a table for a pipe."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts.environment import environment
from scripts.verify import endpoints, suite
from scripts.verify.checks import CheckOutcome, CheckReport, CheckResult
from tests.unit.conftest import CommandLine

RESULTS = (
    CheckResult("resources", "All exist.", CheckOutcome.PASS, "42 resources exist", 1.5),
    CheckResult("orders", "Orders arrive.", CheckOutcome.PASS, "2 orders are settled", 2.5),
    CheckResult("browser", "A browser may call.", CheckOutcome.SKIP, "no origin is allowed", 0.0),
)
FAILED = CheckResult("metrics", "Metrics are right.", CheckOutcome.FAIL, "no metrics after 45 s", 45.0)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[CheckResult]:
    """The results that the suite will report."""
    found = list(RESULTS)

    def verify(*_given: object, on_result: Callable[[CheckResult], object]) -> CheckReport:
        for result in found:
            on_result(result)
        return CheckReport(tuple(found))

    def nothing(*_given: object, **_options: object) -> Any:  # noqa: ANN401 - stands for any of them
        return None

    monkeypatch.setattr(suite, "verify", verify)
    monkeypatch.setattr(suite.Timing, "of", nothing)
    monkeypatch.setattr(endpoints, "find_endpoints", nothing)
    monkeypatch.setattr(environment, "open_environment", nothing)
    return found


@pytest.mark.usefixtures("results", "streams_are_terminals")
def test_a_terminal_shows_each_check_once(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("verify")

    assert ran.code == 0
    assert ran.err.splitlines() == [
        "pass     resources: 42 resources exist",
        "pass     orders: 2 orders are settled",
        "skip     browser: no origin is allowed",
    ]
    assert ran.out == "3 checks in 4 s: 2 pass, 1 skip.\n"


@pytest.mark.usefixtures("streams_are_terminals")
def test_a_terminal_shows_why_a_check_failed(pulsequeue: CommandLine, results: list[CheckResult]) -> None:
    results.append(FAILED)

    ran = pulsequeue("verify")

    assert ran.code == 1
    assert ran.err.splitlines()[-2:] == [
        "fail     metrics: no metrics after 45 s",
        "pulsequeue: local: check failed: metrics: no metrics after 45 s",
    ]
    assert "1 fail" in ran.out


@pytest.mark.usefixtures("results")
def test_a_pipe_gets_the_table(pulsequeue: CommandLine) -> None:
    ran = pulsequeue("verify")

    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[2:]] == [it.check for it in RESULTS]
    assert ran.err.splitlines() == ["pass     resources", "pass     orders", "skip     browser"]
