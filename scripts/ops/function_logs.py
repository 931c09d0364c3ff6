"""The logs of the functions: read, follow, format, and search for one order."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from scripts.common.errors import ToolError
from services.shared.events import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_logs import CloudWatchLogsClient

    from scripts.environment.environment import Environment

_MAX_LINES = 200
_PLATFORM = re.compile(r"^(START|END|REPORT|INIT_START|INIT_REPORT|XRAY) ")
# Fields that every line has; a formatted line shows them first or not at all.
_COMMON_FIELDS = frozenset(
    {
        "level",
        "message",
        "timestamp",
        "service",
        "order_id",
        "tenant_id",
        "location",
        "function_request_id",
        "xray_trace_id",
        "stack_trace",
    }
)
_OVERLAP_MS = 5_000
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class LogLine:
    function: str
    stream: str
    timestamp_ms: int
    message: str
    """The whole line as it was logged."""


def read(environment: Environment, functions: Sequence[str], since_ms: int) -> list[LogLine]:
    """Return the lines of some functions since a time, oldest first; refuse an environment without logs."""
    logs = environment.client("logs")
    lines: list[LogLine] = []
    missing = 0
    for function in functions:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=environment.names.log_group(function), startTime=since_ms
        )
        try:
            lines += [
                LogLine(function, event["logStreamName"], event["timestamp"], event["message"].rstrip())
                for page in pages
                for event in page["events"]
            ]
        except logs.exceptions.ResourceNotFoundException:
            missing += 1  # on the emulator, the function has not run yet
    if missing == len(functions) and not environment.is_local:
        raise ToolError(
            f"no logs of {', '.join(functions)} of environment {environment.name!r} in {environment.region}; "
            "check the name and the region."
        )
    return sorted(lines, key=lambda line: line.timestamp_ms)


def follow(environment: Environment, functions: Sequence[str], since_ms: int) -> Iterator[LogLine]:
    """Yield new lines, each once, for as long as the caller reads."""
    seen: Counter[LogLine] = Counter()
    while True:
        lines = read(environment, functions, since_ms)
        yield from new_lines(lines, seen)
        seen = Counter(lines)
        # Older lines may still arrive.
        since_ms = max([since_ms, *(line.timestamp_ms - _OVERLAP_MS for line in lines[-1:])])
        time.sleep(_POLL_SECONDS)


def new_lines(lines: Iterable[LogLine], seen: Mapping[LogLine, int]) -> Iterator[LogLine]:
    """Skip as many copies of each line as were seen before; a function may log the same line twice."""
    counts: Counter[LogLine] = Counter()
    for line in lines:
        counts[line] += 1
        if counts[line] > seen.get(line, 0):
            yield line


def format_line(line: LogLine) -> str | None:
    """Format a line for a person; None for lines of metrics and of the Lambda platform."""
    at = datetime.fromtimestamp(line.timestamp_ms / 1000, UTC)
    start = at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03}"
    fields = _fields(line.message)
    if fields is None:
        return None if _PLATFORM.match(line.message) else f"{start} {'':7} {line.function:8} {line.message}"
    if "_aws" in fields:
        return None
    order = f" order={fields['order_id']}" if "order_id" in fields else ""
    extra = "".join(f" {field}" for field in extra_fields(fields))
    return f"{start} {fields.get('level', ''):7} {line.function:8} {fields.get('message', '')}{order}{extra}"


def json_line(line: LogLine) -> str:
    """Return a line as it was logged if it is a JSON object, or else wrapped in one."""
    if _fields(line.message) is not None:
        return line.message
    at = datetime.fromtimestamp(line.timestamp_ms / 1000, UTC)
    wrapped = {"timestamp": rfc3339(at), "function": line.function, "message": line.message}
    return json.dumps(wrapped, ensure_ascii=False)


def extra_fields(fields: Mapping[str, Any]) -> list[str]:
    """List the fields that are particular to this line."""
    return [f"{name}={value}" for name, value in fields.items() if name not in _COMMON_FIELDS]


def _fields(message: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


# --- searching for one order --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogEntry:
    at: datetime
    function: str
    message: str
    fields: Mapping[str, Any]

    @property
    def event(self) -> str | None:
        """The event code, declared in services/shared/log_events.py."""
        return self.fields.get("event")


class FunctionLogs(Protocol):
    def search(self, text: str, since: datetime) -> list[LogEntry]:
        """Return the newest lines of each function that contain a text, oldest first."""


class CloudWatchFunctionLogs:
    def __init__(self, client: CloudWatchLogsClient, groups: Mapping[str, str]) -> None:
        self._client = client
        self._groups = groups

    def search(self, text: str, since: datetime) -> list[LogEntry]:
        lines = [
            line
            for function, group in self._groups.items()
            for line in self._of(function, group, text, since)
        ]
        return sorted(lines, key=lambda line: line.at)

    def _of(self, function: str, group: str, text: str, since: datetime) -> Iterable[LogEntry]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            filterPattern=json.dumps(text, ensure_ascii=False),
            startTime=int(since.timestamp() * 1000),
        )
        try:
            # Oldest first; of very many lines the newest show how the order ended.
            events = deque((event for page in pages for event in page["events"]), maxlen=_MAX_LINES)
        except self._client.exceptions.ResourceNotFoundException:
            return []  # the function has not run yet
        return [
            _line(function, event["timestamp"], event["message"])
            for event in events
            # Metrics lines add nothing to a timeline.
            if '"_aws"' not in event["message"]
        ]


def _line(function: str, timestamp: int, message: str) -> LogEntry:
    at = datetime.fromtimestamp(timestamp / 1000, UTC)
    try:
        fields = json.loads(message)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return LogEntry(at, function, message.strip(), {})
    return LogEntry(at, function, str(fields.get("message", "")), fields)
