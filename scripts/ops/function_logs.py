"""What the functions said about an order."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_MOST = 100


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    function: str
    message: str
    fields: Mapping[str, Any]


class FunctionLogs(Protocol):
    def about(self, text: str, since: datetime) -> list[Line]:
        """Find the lines that mention a text, oldest first."""


class CloudWatchFunctionLogs:
    def __init__(self, client: "CloudWatchLogsClient", groups: Mapping[str, str]) -> None:
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
            events = list(islice((event for page in pages for event in page["events"]), _MOST))
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
