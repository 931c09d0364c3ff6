"""What the functions say about orders, and, when nothing comes, what seems to be in the way."""

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

_COMPLAINS: Final = frozenset({"WARNING", "ERROR", "CRITICAL", "WARN", "FATAL"})
_PLATFORM: Final = ("START ", "END ", "REPORT ", "INIT_START ", "XRAY ")
_TOLD: Final = ("cause", "why", "reason", "exception", "errorMessage", "error")
_LONGEST: Final = 300
_MOST: Final = 3
_CLOCKS_APART: Final = timedelta(minutes=5)
"""By which the clock here may be ahead of AWS's, which takes no signature beyond that."""


class Evidence:
    """The logs and the queue of one function, since a moment."""

    def __init__(self, environment: Environment, function: str, since: datetime) -> None:
        self._environment = environment
        self._function = function
        self._since = since
        groups = {function: environment.names.log_group(function)}
        self._logs = CloudWatchFunctionLogs(environment.client("logs"), groups)

    def missing(self, scenario: Scenario, events: Iterable[LogEvent]) -> list[LogEvent]:
        """List the log events that the function has not logged for an order."""
        since = self._since - _CLOCKS_APART
        logged = {line.event for line in self._logs.about(scenario.order_id, since)}
        return [event for event in events if event not in logged]

    def excuse(self) -> str:
        """Say what is known of why nothing comes from the function."""
        said = [self._waiting(), *dict.fromkeys(self._complaints())]
        return "; ".join(said[: _MOST + 1])

    def _waiting(self) -> str:
        answer = self._environment.client("sqs").get_queue_attributes(
            QueueUrl=self._environment.queue_url(self._function),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        waiting = answer["ApproximateNumberOfMessages"]
        in_hand = answer["ApproximateNumberOfMessagesNotVisible"]
        return f"its queue holds {waiting} messages, and {in_hand} that were taken and not finished"

    def _complaints(self) -> Iterator[str]:
        since_ms = int(self._since.timestamp() * 1000)
        for line in reversed(read(self._environment, [self._function], since_ms)):
            if (complaint := complaint_of(line.message)) is not None:
                yield f"its log says: {complaint[:_LONGEST]}"


def complaint_of(message: str) -> str | None:
    """Return what a log line complains of; None if it does not complain."""
    try:
        fields: Any = json.loads(message)
    except ValueError:
        return None if message.startswith(_PLATFORM) or not message.strip() else message.strip()
    if not isinstance(fields, dict):
        return None
    # Of a traceback the last line says what it was.
    told = [str(fields[name]).strip().splitlines()[-1] for name in _TOLD if fields.get(name)]
    if fields.get("level") in _COMPLAINS:
        return ": ".join([str(fields.get("message", "")), *told])
    # The platform's own account of a function that raised has no level.
    return ": ".join(told) if "errorMessage" in fields else None
