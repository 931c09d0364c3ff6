"""The operations log: who did what, one JSON line per action, in CloudWatch Logs."""

import getpass
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from scripts.common.clock import Clock
from services.shared.events import rfc3339

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient


class OperationsLog(Protocol):
    def record(self, action: str, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        """Write one line; raises if it could not be written."""


class CloudWatchOperationsLog:
    def __init__(self, client: "CloudWatchLogsClient", *, group: str, who: str, clock: Clock) -> None:
        self._client = client
        self._group = group
        self._who = who
        self._clock = clock

    def record(self, action: str, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        now = self._clock.now()
        line = {
            "at": rfc3339(now),
            "who": self._who,
            "action": action,
            "parameters": dict(parameters),
            "result": dict(result),
        }
        stream = now.strftime("%Y-%m-%d")
        message = json.dumps(line, ensure_ascii=False, default=str)
        try:
            self._put(stream, message)
        except self._client.exceptions.ResourceNotFoundException:
            self._create(stream)
            self._put(stream, message)

    def _put(self, stream: str, message: str) -> None:
        timestamp = int(self._clock.now().timestamp() * 1000)
        self._client.put_log_events(
            logGroupName=self._group,
            logStreamName=stream,
            logEvents=[{"timestamp": timestamp, "message": message}],
        )

    def _create(self, stream: str) -> None:
        # The group may exist, or another operator may create it first.
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._client.create_log_group(logGroupName=self._group)
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._client.create_log_stream(logGroupName=self._group, logStreamName=stream)


def operator() -> str:
    """Return user@host of this process."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
