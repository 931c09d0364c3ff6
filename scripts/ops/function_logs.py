"""What the functions log: read, followed as it comes, made readable, and searched for one order."""

from __future__ import annotations

import json
import re
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_logs import CloudWatchLogsClient

    from scripts.environment.environment import Environment

_MOST = 200
_PLATFORM = re.compile(r"^(START|END|REPORT|INIT_START|INIT_REPORT|XRAY) ")
# What the line begins with, or says about where it came from rather than what happened.
_NOT_TOLD = frozenset(
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
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class LogLine:
    function: str
    stream: str
    timestamp_ms: int
    message: str


def read(environment: Environment, functions: Sequence[str], since_ms: int) -> list[LogLine]:
    """Return the lines of these functions since a moment, oldest first."""
    logs = environment.client("logs")
    lines: list[LogLine] = []
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
            continue  # it has not run yet
    return sorted(lines, key=lambda line: line.timestamp_ms)


def follow(environment: Environment, functions: Sequence[str], since_ms: int) -> Iterator[LogLine]:
    """Yield lines as they come, each once, until the reader goes."""
    seen: Counter[LogLine] = Counter()
    while True:
        lines = read(environment, functions, since_ms)
        yield from unseen(lines, seen)
        seen = Counter(lines)
        # Lines of an earlier moment may still come in.
        since_ms = max([since_ms, *(line.timestamp_ms - _OVERLAP_MS for line in lines[-1:])])
        time.sleep(_PAUSE)


def unseen(lines: Iterable[LogLine], seen: Mapping[LogLine, int]) -> Iterator[LogLine]:
    """Leave out as many of each line as were seen before; the same words may truly be said twice."""
    met: Counter[LogLine] = Counter()
    for line in lines:
        met[line] += 1
        if met[line] > seen.get(line, 0):
            yield line


def readable(line: LogLine) -> str | None:
    """Render a line for a person; None when it says nothing to one (metrics, the platform's own)."""
    at = datetime.fromtimestamp(line.timestamp_ms / 1000, UTC)
    start = at.strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03}"
    fields = _fields(line.message)
    if fields is None:
        return None if _PLATFORM.match(line.message) else f"{start} {'':7} {line.function:8} {line.message}"
    if "_aws" in fields:
        return None
    order = f" order={fields['order_id']}" if "order_id" in fields else ""
    told = "".join(f" {fact}" for fact in event_fields(fields))
    return f"{start} {fields.get('level', ''):7} {line.function:8} {fields.get('message', '')}{order}{told}"


def event_fields(fields: Mapping[str, Any]) -> list[str]:
    """List what a line tells beyond what every line tells."""
    return [f"{name}={value}" for name, value in fields.items() if name not in _NOT_TOLD]


def _fields(message: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


# --- about one order ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    function: str
    message: str
    fields: Mapping[str, Any]

    @property
    def event(self) -> str | None:
        """The line's code, as services/shared/log_events.py declares it."""
        return self.fields.get("event")


class FunctionLogs(Protocol):
    def about(self, text: str, since: datetime) -> list[Line]:
        """Find the newest lines of each function that mention a text, oldest first."""


class CloudWatchFunctionLogs:
    def __init__(self, client: CloudWatchLogsClient, groups: Mapping[str, str]) -> None:
        self._client = client
        self._groups = groups

    def about(self, text: str, since: datetime) -> list[Line]:
        lines = [
            line
            for function, group in self._groups.items()
            for line in self._of(function, group, text, since)
        ]
        return sorted(lines, key=lambda line: line.at)

    def _of(self, function: str, group: str, text: str, since: datetime) -> Iterable[Line]:
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            filterPattern=json.dumps(text, ensure_ascii=False),
            startTime=int(since.timestamp() * 1000),
        )
        try:
            # They come oldest first; of very many the newest tell how it ended.
            events = deque((event for page in pages for event in page["events"]), maxlen=_MOST)
        except self._client.exceptions.ResourceNotFoundException:
            return []  # the function has not run yet
        return [
            _line(function, event["timestamp"], event["message"])
            for event in events
            # A metrics line repeats the numbers, not the story.
            if '"_aws"' not in event["message"]
        ]


def _line(function: str, timestamp: int, message: str) -> Line:
    at = datetime.fromtimestamp(timestamp / 1000, UTC)
    try:
        fields = json.loads(message)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return Line(at, function, message.strip(), {})
    return Line(at, function, str(fields.get("message", "")), fields)
