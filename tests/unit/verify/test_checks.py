"""Checks run in order; a failed check blocks those that depend on it. A poller gives up in time."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.verify.checks import (
    Check,
    CheckFailedError,
    CheckOutcome,
    CheckSkippedError,
    Poller,
    run_checks,
)
from tests.support.fakes import ManualClock


@pytest.fixture
def poller() -> Poller:
    clock = ManualClock()
    return Poller(Clock(clock, lambda seconds: clock.advance(timedelta(seconds=seconds))), 10, 1)


def _raises(error: Exception) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check


def test_a_check_that_depends_on_a_failed_one_is_blocked_and_the_rest_run() -> None:
    ran: list[str] = []

    def passes(name: str) -> Callable[[], str]:
        def check() -> str:
            ran.append(name)
            return "fine"

        return check

    report = run_checks(
        [
            Check("rule", "is on", _raises(CheckFailedError("it is off"))),
            Check("order", "is decided", passes("order"), ("rule",)),
            Check("payment", "is made", passes("payment"), ("order",)),
            Check("metrics", "are read", passes("metrics")),
        ]
    )

    states = {it.check: it.outcome for it in report.results}
    assert states == {
        "rule": CheckOutcome.FAIL,
        "order": CheckOutcome.BLOCKED,
        "payment": CheckOutcome.BLOCKED,
        "metrics": CheckOutcome.PASS,
    }
    assert ran == ["metrics"]
    assert report.failure is not None
    assert (report.failure.check, report.failure.message) == ("rule", "it is off")


def test_the_first_failed_check_is_reported() -> None:
    report = run_checks(
        [
            Check("first", "", lambda: "fine"),
            Check("second", "", _raises(ToolError("the queue is not there."))),
            Check("third", "", _raises(CheckFailedError("later"))),
        ]
    )

    assert report.failure is not None
    assert (report.failure.check, report.failure.message) == ("second", "the queue is not there.")


def test_a_skipped_check_blocks_nothing_that_depends_on_it() -> None:
    report = run_checks(
        [
            Check("analytics", "", _raises(CheckSkippedError("no user"))),
            Check("end", "", lambda: "fine", ("analytics",)),
        ]
    )

    assert report.failure is None
    assert [it.outcome for it in report.results] == [CheckOutcome.SKIP, CheckOutcome.PASS]


def test_a_bug_in_a_check_is_raised_and_is_no_failed_check() -> None:
    with pytest.raises(KeyError):
        run_checks([Check("any", "", _raises(KeyError("detail")))])


def test_a_timeout_reports_the_state_at_that_time(poller: Poller) -> None:
    probes: list[int] = []

    def probe() -> str | None:
        probes.append(1)
        return None

    with pytest.raises(CheckFailedError, match="probed 11 times"):
        poller.until(probe, lambda: f"probed {len(probes)} times")


def test_polling_returns_what_comes_before_the_timeout(poller: Poller) -> None:
    answers = iter([None, None, "there"])

    assert poller.until(lambda: next(answers), lambda: "never") == "there"


def test_a_timeout_reports_the_last_problems_and_probes_no_more(
    poller: Poller,
) -> None:
    probes: list[int] = []

    def problems() -> list[str]:
        probes.append(1)
        return [f"problem {len(probes)}"]

    with pytest.raises(CheckFailedError, match=r"^problem 11$"):
        poller.until_no_problems(problems, ", ".join)

    assert len(probes) == 11


def test_polling_ends_when_no_problems_are_left(poller: Poller) -> None:
    found = iter([["late"], []])

    poller.until_no_problems(lambda: next(found), ", ".join)

    assert next(found, None) is None
