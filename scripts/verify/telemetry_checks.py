"""The links behind the orders: the numbers that Prometheus gets, and what analytics tells."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from scripts.ops import metrics_page
from scripts.verify.checks import BrokenLinkError, LeftOutError, told
from scripts.verify.endpoints import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.environment.environment import Environment
    from scripts.verify.checks import Patience
    from scripts.verify.endpoints import Answer, Doors
    from scripts.verify.scenarios import Labelled, Scenario, Scenarios

_COLLECTOR: Final = "collector"
_REFUSED: Final = frozenset({401, 403})
_FOUND: Final = 200
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_BUSY_SECONDS: Final = 30.0


def _strangers_are_refused(patience: Patience, url: str) -> None:
    answer = _settled(patience, url, None)
    if answer.status not in _REFUSED:
        raise BrokenLinkError(f"{url} answers {answer.status} to whoever has no token")


def _settled(patience: Patience, url: str, bearer: str | None) -> Answer:
    """Ask, and again for a while where it is busy, or not up yet; returns the answer that it stays with."""
    for_a_while = replace(patience, seconds=min(patience.seconds, _BUSY_SECONDS))
    busy = ""

    def look() -> Answer | None:
        nonlocal busy
        answer = ask(url, bearer)
        busy = _spelled_out(url, answer)
        return None if answer.status in _BUSY else answer

    return for_a_while.until(look, lambda: busy)


def _spelled_out(url: str, answer: Answer) -> str:
    return f"{url} answers {answer.status}: {' '.join(str(answer.body).split())}"


class Metrics:
    def __init__(self, environment: Environment, doors: Doors, patience: Patience) -> None:
        self._environment = environment
        self._doors = doors
        self._patience = patience
        self._before: Mapping[Labelled, float] = {}

    def readable(self) -> str:
        """Have the numbers collected, see that they are guarded, and note where they stand."""
        self._collect()
        where = self._doors.metrics()
        _strangers_are_refused(self._patience, where.url)
        self._before = self._counters()
        return f"{len(self._before)} counters at {where.url}"

    def counted(self, wanted: Mapping[Labelled, float]) -> str:
        """Wait until the counters have moved by what happened."""

        def short() -> list[str]:
            self._collect()
            now = self._counters()
            return [
                f"{_spelled(one)} moved by {moved:g}, not {by:g}"
                for one, by in wanted.items()
                if (moved := now.get(one, 0) - self._before.get(one, 0)) < by
            ]

        self._patience.until_whole(short, told)
        return f"{len(wanted)} counters moved"

    def _counters(self) -> Mapping[Labelled, float]:
        where = self._doors.metrics()
        answer = _settled(self._patience, where.url, where.token)
        if answer.status != _FOUND:
            raise BrokenLinkError(_spelled_out(where.url, answer))
        return {
            (it.name, tuple(sorted(it.labels.items()))): it.value
            for it in metrics_page.samples(answer.body, "_total")
        }

    def _collect(self) -> None:
        """Set the collector off: the schedule would do so within a minute."""
        functions, name = self._environment.client("lambda"), self._environment.names.function(_COLLECTOR)
        try:
            answer = functions.invoke(FunctionName=name)
        except functions.exceptions.TooManyRequestsException:
            return  # it runs at this moment
        if "FunctionError" in answer:
            raise BrokenLinkError(f"function {name} failed: {_reason(answer['Payload'].read())}")


def _spelled(counter: Labelled) -> str:
    name, labels = counter
    return f"{name}{{{', '.join(f'{label}={value}' for label, value in labels)}}}"


def _reason(payload: bytes) -> str:
    try:
        failure: Any = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")[:200]
    return str(failure.get("errorMessage", failure)) if isinstance(failure, dict) else str(failure)


class Analytics:
    def __init__(self, environment: Environment, doors: Doors, patience: Patience) -> None:
        self._environment = environment
        self._doors = doors
        self._patience = patience

    def tells(self, scenarios: Scenarios) -> str:
        """Wait until analytics tells every order as the tables have it."""
        if "analytics" not in self._environment.topology.functions:
            raise LeftOutError("analytics is not part of this environment")
        url = self._doors.api()
        _strangers_are_refused(self._patience, f"{url}/api/orders")
        if self._doors.token is None:
            raise LeftOutError("it refuses strangers; say --user, and PULSEQUEUE_PASSWORD, to have it asked")
        token = self._doors.token()
        untold = list(scenarios.readable)

        def behind() -> list[str]:
            answers = [(it, ask(f"{url}/api/orders/{it.order_id}", token)) for it in untold]
            faults = {it: fault for it, answer in answers if (fault := _fault(it, answer))}
            untold[:] = faults
            return [f"{it.order_id} {fault}" for it, fault in faults.items()]

        self._patience.until_whole(behind, told)
        return f"{len(scenarios.readable)} orders told, each with its timeline"


def _fault(scenario: Scenario, answer: Answer) -> str | None:
    """Say in what an answer is not what became of an order."""
    if answer.status != _FOUND:
        said = answer.body.get("detail", "") if isinstance(answer.body, dict) else ""
        return f"is answered with {answer.status}: {said}"
    order = answer.body["data"]
    if order["status"] != scenario.status:
        return f"is told as {order['status']}, not {scenario.status}"
    timeline: Sequence[Mapping[str, Any]] = order["timeline"]
    missing = sorted(scenario.events - {it["event"] for it in timeline})
    return f"is told without {told(missing)}" if missing else None
