"""The links behind the orders: the numbers that Prometheus gets, and what analytics tells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scripts.ops import metrics_page
from scripts.verifying.chain import BrokenLinkError, LeftOutError, told
from scripts.verifying.doors import ask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.environment import Environment
    from scripts.verifying.chain import Patience
    from scripts.verifying.doors import Answer, Doors
    from scripts.verifying.scenarios import Labelled, Scenario, Scenarios

_COLLECTOR: Final = "collector"
_REFUSED: Final = frozenset({401, 403})
_FOUND: Final = 200


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
        status = ask(where.url, None).status
        if status not in _REFUSED:
            raise BrokenLinkError(f"{where.url} answers {status} to whoever has no token")
        self._before = _counters(metrics_page.fetch(where))
        return f"{len(self._before)} counters at {where.url}"

    def counted(self, wanted: Mapping[Labelled, float]) -> str:
        """Wait until the counters have moved by what happened."""

        def short() -> list[str]:
            self._collect()
            now = _counters(metrics_page.fetch(self._doors.metrics()))
            return [
                f"{_spelled(one)} moved by {moved:g}, not {by:g}"
                for one, by in wanted.items()
                if (moved := now.get(one, 0) - self._before.get(one, 0)) < by
            ]

        self._patience.until(lambda: None if short() else True, lambda: told(short()))
        return f"{len(wanted)} counters moved"

    def _collect(self) -> None:
        """Set the collector off: the schedule would do so within a minute."""
        functions, name = self._environment.client("lambda"), self._environment.names.function(_COLLECTOR)
        try:
            answer = functions.invoke(FunctionName=name)
        except functions.exceptions.TooManyRequestsException:
            return  # it runs at this moment
        if "FunctionError" in answer:
            raise BrokenLinkError(f"function {name} failed: {_reason(answer['Payload'].read())}")


def _counters(page: str) -> dict[Labelled, float]:
    return {
        (it.name, tuple(sorted(it.labels.items()))): it.value for it in metrics_page.samples(page, "_total")
    }


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
        status = ask(f"{url}/api/orders?limit=1", None).status
        if status not in _REFUSED:
            raise BrokenLinkError(f"{url}/api/orders answers {status} to whoever has no token")
        if self._doors.token is None:
            raise LeftOutError("it refuses strangers; say --user, and PULSEQUEUE_PASSWORD, to have it asked")
        token = self._doors.token()
        behind = {it.order_id: "was not asked for" for it in scenarios.readable}

        def look() -> bool | None:
            for it in scenarios.readable:
                if it.order_id in behind:
                    fault = _fault(it, ask(f"{url}/api/orders/{it.order_id}", token))
                    if fault is None:
                        del behind[it.order_id]
                    else:
                        behind[it.order_id] = fault
            return None if behind else True

        self._patience.until(look, lambda: told([f"{one} {fault}" for one, fault in behind.items()]))
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
