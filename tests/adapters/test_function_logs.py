"""The operations log and the functions' logs against CloudWatch Logs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from scripts.common.clock import Clock
from scripts.ops.function_logs import CloudWatchFunctionLogs
from scripts.ops.operations_log import CloudWatchOperationsLog
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator

NOW = datetime.now(UTC)


class Group:
    """A log group of its own."""

    def __init__(self, emulator: RunningEmulator) -> None:
        self.logs = emulator.clients.client("logs")
        self.name = f"/tests/{uuid4().hex}"

    def log(self, *messages: str, at: datetime = NOW) -> None:
        stream = uuid4().hex
        if not self.logs.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]:
            self.logs.create_log_group(logGroupName=self.name)
        self.logs.create_log_stream(logGroupName=self.name, logStreamName=stream)
        for start in range(0, len(messages), 100):
            self.logs.put_log_events(
                logGroupName=self.name,
                logStreamName=stream,
                logEvents=[
                    {"timestamp": int(at.timestamp() * 1000) + number, "message": message}
                    for number, message in enumerate(messages[start : start + 100], start=start)
                ],
            )

    def lines(self) -> list[dict[str, Any]]:
        events = self.logs.filter_log_events(logGroupName=self.name)["events"]
        return [json.loads(event["message"]) for event in events]


@pytest.fixture
def group(emulator: RunningEmulator) -> Group:
    return Group(emulator)


# --- the operations log -----------------------------------------------------------------------------


def _operations_log(group: Group, who: str = "me@here", now: datetime = NOW) -> CloudWatchOperationsLog:
    return CloudWatchOperationsLog(group.logs, group=group.name, who=who, clock=Clock(now=lambda: now))


def test_the_first_line_creates_the_log_group(group: Group) -> None:
    log = _operations_log(group)

    log.record("dlq redrive", {"function": "order"}, {"done": 2})
    log.record("dlq drop", {"function": "payment"}, {"done": 1})

    first, second = group.lines()
    assert (first["who"], first["action"], first["parameters"]) == (
        *("me@here", "dlq redrive"),
        {"function": "order"},
    )
    assert (second["action"], second["result"]) == ("dlq drop", {"done": 1})


def test_operators_share_one_log_with_a_stream_per_day(group: Group) -> None:
    _operations_log(group, "you@there", NOW - timedelta(days=1)).record("replay start", {}, {})
    _operations_log(group, "me@here").record("replay start", {}, {})

    streams = group.logs.describe_log_streams(logGroupName=group.name)["logStreams"]
    assert {line["who"] for line in group.lines()} == {"me@here", "you@there"}
    assert len(streams) == 2


# --- the functions' logs -----------------------------------------------------------------------------


def _function_logs(group: Group, **others: str) -> CloudWatchFunctionLogs:
    return CloudWatchFunctionLogs(group.logs, {"order": group.name, **others})


def _message(order_id: str, message: str = "order reserved", **more: object) -> str:
    return json.dumps({"level": "INFO", "message": message, "order_id": order_id, **more})


def test_the_lines_of_an_order_are_found_with_all_their_fields(group: Group) -> None:
    group.log(_message("o-1", xray_trace_id="1-a"), _message("o-2"), "START RequestId: 1")

    (line,) = _function_logs(group).search("o-1", NOW - timedelta(minutes=1))

    assert (line.function, line.message, line.fields["xray_trace_id"]) == ("order", "order reserved", "1-a")
    assert abs(line.at - NOW) < timedelta(seconds=1)


def test_metrics_lines_are_left_out(group: Group) -> None:
    group.log(json.dumps({"_aws": {}, "about": "o-1"}), _message("o-1"))

    assert len(_function_logs(group).search("o-1", NOW - timedelta(minutes=1))) == 1


def test_lines_that_are_not_json_are_found(group: Group) -> None:
    group.log("Traceback: o-1 is odd")

    (line,) = _function_logs(group).search("o-1", NOW - timedelta(minutes=1))

    assert (line.message, line.fields) == ("Traceback: o-1 is odd", {})


def test_older_lines_are_left_out(group: Group) -> None:
    group.log(_message("o-1", "old"), at=NOW - timedelta(hours=1))
    group.log(_message("o-1", "new"))

    lines = _function_logs(group).search("o-1", NOW - timedelta(minutes=1))

    assert [line.message for line in lines] == ["new"]


def test_of_very_many_lines_the_newest_are_returned_oldest_first(group: Group) -> None:
    group.log(*(_message("o-1", f"{number}") for number in range(250)))

    lines = _function_logs(group).search("o-1", NOW - timedelta(minutes=1))

    assert [line.message for line in lines] == [f"{number}" for number in range(50, 250)]


def test_a_function_that_never_ran_has_no_lines(group: Group) -> None:
    group.log(_message("o-1"))

    lines = _function_logs(group, payment="/tests/nowhere").search("o-1", NOW - timedelta(minutes=1))

    assert [line.function for line in lines] == ["order"]
