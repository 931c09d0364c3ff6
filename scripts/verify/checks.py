"""Runs checks one after another, reports the outcome of each, and skips those whose dependencies failed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from scripts.common.errors import ToolError
from services.shared.errors import PulseQueueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scripts.common.clock import Clock

T = TypeVar("T")

_NOT_FOUND: Final = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


class CheckOutcome(StrEnum):
    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    SKIP = "skip"
    """It does not apply here, or cannot be run here."""
    BLOCKED = "blocked"
    """A check that it depends on failed."""


class CheckFailedError(Exception):
    """Says why a check failed."""


class CheckSkippedError(Exception):
    """Says why a check cannot be run here."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    description: str
    """What is true when it passes."""
    run: Callable[[], str]
    """Returns a summary of what was found, or raises."""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckResult:
    check: str
    description: str
    outcome: CheckOutcome
    message: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckReport:
    results: tuple[CheckResult, ...]

    @property
    def failure(self) -> CheckResult | None:
        """The first check that failed."""
        return next((it for it in self.results if it.outcome is CheckOutcome.FAIL), None)


def run_checks(
    checks: Iterable[Check], on_result: Callable[[CheckResult], object] = lambda _: None
) -> CheckReport:
    """Run the checks in order and pass each result to `on_result`."""
    results: dict[str, CheckResult] = {}
    for check in checks:
        result = _blocked(check, results) or _run(check)
        results[check.name] = result
        on_result(result)
    return CheckReport(tuple(results.values()))


def _blocked(check: Check, results: dict[str, CheckResult]) -> CheckResult | None:
    for name in check.needs:
        if results[name].outcome in {CheckOutcome.FAIL, CheckOutcome.BLOCKED}:
            return CheckResult(check.name, check.description, CheckOutcome.BLOCKED, f"needs: {name}")
    return None


def _run(check: Check) -> CheckResult:
    started = time.monotonic()

    def result(outcome: CheckOutcome, message: str) -> CheckResult:
        return CheckResult(check.name, check.description, outcome, message, time.monotonic() - started)

    try:
        return result(CheckOutcome.PASS, check.run())
    except CheckSkippedError as reason:
        return result(CheckOutcome.SKIP, str(reason))
    except (CheckFailedError, ToolError, PulseQueueError) as reason:
        return result(CheckOutcome.FAIL, str(reason))
    except (ClientError, BotoCoreError) as error:
        return result(CheckOutcome.FAIL, f"AWS call failed: {error}")


@dataclass(frozen=True, slots=True)
class Poller:
    """Repeats a probe until it succeeds or the timeout is over."""

    clock: Clock
    timeout: float
    interval: float

    def until(self, probe: Callable[[], T | None], on_timeout: Callable[[], str]) -> T:
        """Return the first result that is not None; after the timeout fail with the message given."""
        started = self.clock.now()
        while (result := probe()) is None:
            if (self.clock.now() - started).total_seconds() >= self.timeout:
                raise CheckFailedError(on_timeout())
            self.clock.sleep(self.interval)
        return result

    def until_no_problems(
        self, problems: Callable[[], Sequence[str]], describe: Callable[[Sequence[str]], str]
    ) -> None:
        """Wait until there are no problems; after the timeout fail with the last ones found."""
        last: Sequence[str] = ()

        def probe() -> bool | None:
            nonlocal last
            last = problems()
            return None if last else True

        self.until(probe, lambda: describe(last))


def problem_or_missing(resource: str, probe: Callable[[], str | None]) -> str | None:
    """Return the problem that the probe finds; a resource that does not exist is a problem, too."""
    try:
        return probe()
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_FOUND:
            return f"{resource} does not exist"
        raise


def listed(names: Sequence[str], limit: int = 5) -> str:
    """Join the first names, and say how many more there are."""
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
