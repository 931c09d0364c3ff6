"""Reads the log and the queue of a function: what it logged about orders, and why nothing comes from it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from scripts.ops.function_logs import CloudWatchFunctionLogs, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from scripts.environment.environment import Environment
    from scripts.verify.scenarios import Scenario
    from services.shared.log_events import LogEvent

_ERROR_LEVELS: Final = frozenset({"WARNING", "ERROR", "CRITICAL", "WARN", "FATAL"})
_PLATFORM_LINES: Final = ("START ", "END ", "REPORT ", "INIT_START ", "XRAY ")
_CAUSE_FIELDS: Final = ("cause", "why", "reason", "exception", "errorMessage", "error")
_MAX_LENGTH: Final = 300
_MAX_ERRORS: Final = 3
_CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clock here may be ahead of AWS's; AWS rejects signatures beyond that."""


class FunctionDiagnostics:
    """The log and the queue of one function, since a moment."""

    def __init__(self, environment: Environment, function: str, since: datetime) -> None:
        self._environment = environment
        self._function = function
        self._since = since
        groups = {function: environment.names.log_group(function)}
        self._logs = CloudWatchFunctionLogs(environment.client("logs"), groups)

    def missing(self, scenario: Scenario, events: Iterable[LogEvent]) -> list[LogEvent]:
        """List the log events that the function has not logged for an order."""
        since = self._since - _CLOCK_SKEW
        logged = {line.event for line in self._logs.search(scenario.order_id, since)}
        return [event for event in events if event not in logged]

    def explain(self) -> str:
        """Summarise the queue and the latest errors of the function."""
        lines = [self._queue_depth(), *dict.fromkeys(self._errors())]
        return "; ".join(lines[: _MAX_ERRORS + 1])

    def _queue_depth(self) -> str:
        attributes = self._environment.client("sqs").get_queue_attributes(
            QueueUrl=self._environment.queue_url(self._function),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        waiting = attributes["ApproximateNumberOfMessages"]
        in_flight = attributes["ApproximateNumberOfMessagesNotVisible"]
        return f"its queue has {waiting} messages waiting and {in_flight} in flight"

    def _errors(self) -> Iterator[str]:
        since_ms = int(self._since.timestamp() * 1000)
        for line in reversed(read(self._environment, [self._function], since_ms)):
            if (error := error_in(line.message)) is not None:
                yield f"its log has: {error[:_MAX_LENGTH]}"


def error_in(line: str) -> str | None:
    """Return the error that a log line reports, or None."""
    try:
        fields: Any = json.loads(line)
    except ValueError:
        return None if line.startswith(_PLATFORM_LINES) or not line.strip() else line.strip()
    if not isinstance(fields, dict):
        return None
    # The last line of a traceback names the exception.
    causes = [str(fields[name]).strip().splitlines()[-1] for name in _CAUSE_FIELDS if fields.get(name)]
    if fields.get("level") in _ERROR_LEVELS:
        return ": ".join([str(fields.get("message", "")), *causes])
    # Lambda's own report of a function that raised has no level.
    return ": ".join(causes) if "errorMessage" in fields else None
