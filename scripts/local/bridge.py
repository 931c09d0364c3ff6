"""Carries to CloudWatch what AWS would carry there itself, and the emulator does not.

Embedded metrics in the functions' log lines, AWS/Lambda from their reports, and AWS/SQS from the queues.
A process of its own, which ends when the emulator has gone.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scripts.environment import LOCAL, Environment, open_environment
from scripts.local import processes
from scripts.local.emf import MalformedLineError, Observation, Series, condense, parse_emf, parse_invocation
from scripts.local.state import StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

MAX_DATA = 1_000
"""CloudWatch takes this many data in one call."""

_PAGE = 10_000
_OVERLAP_MS = 5_000  # a line may be stamped a moment before it can be read
_QUEUE_SECONDS = 10.0
_LONGEST_REST = 10.0
_SHARE_OF_TIME = 20  # rest this many times as long as a reading took: the emulator has orders to process

log = logging.getLogger("bridge")


class Cursor(BaseModel):
    """How far one log group was read.

    The emulator opens a stream for each invocation and fills it at once, so one that was read was read whole.
    """

    model_config = ConfigDict(frozen=True)

    since_ms: int = 0
    seen: dict[str, int] = Field(default_factory=dict)

    def advance(self, streams: Mapping[str, int]) -> Cursor:
        """Remember these streams, and forget those that no reading will meet again."""
        seen = {**self.seen, **streams}
        since = max(self.since_ms, max(seen.values(), default=0) - _OVERLAP_MS)
        return Cursor(since_ms=since, seen={name: at for name, at in seen.items() if at >= since})


class Memory(BaseModel):
    """The cursors of all log groups, as they are kept between two runs."""

    model_config = ConfigDict(frozen=True)

    cursors: dict[str, Cursor] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Memory:
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, path: Path) -> None:
        draft = path.with_suffix(".draft")
        draft.write_text(self.model_dump_json(), encoding="utf-8")
        draft.replace(path)


@dataclass(frozen=True, slots=True)
class Invocation:
    stream: str
    timestamp_ms: int
    lines: tuple[str, ...]


def invocations(events: Iterable[FilteredLogEventTypeDef]) -> list[Invocation]:
    """Put the lines of each stream together again."""
    streams: dict[str, list[FilteredLogEventTypeDef]] = {}
    for event in events:
        streams.setdefault(event["logStreamName"], []).append(event)
    return [
        Invocation(stream, lines[-1]["timestamp"], tuple(line["message"] for line in lines))
        for stream, lines in streams.items()
    ]


def whole_streams(
    events: Sequence[FilteredLogEventTypeDef], page: int = _PAGE
) -> tuple[list[FilteredLogEventTypeDef], int | None]:
    """Cut a full page before its last moment, whose streams may go on; say where the next page starts."""
    if len(events) < page:
        return list(events), None
    last = events[-1]["timestamp"]
    if events[0]["timestamp"] == last:
        return list(events), last + 1
    return [event for event in events if event["timestamp"] < last], last


def observe(function: str, invocation: Invocation) -> tuple[list[Observation], int]:
    """Return what one invocation's lines say, and how many claimed to be metrics and were none."""
    observations = parse_invocation(function, invocation.timestamp_ms, invocation.lines)
    malformed = 0
    for line in invocation.lines:
        try:
            observations += parse_emf(line)
        except MalformedLineError as error:
            malformed += 1
            log.warning("%s: a metric line cannot be read (%s): %.200s", function, error, line)
    return observations, malformed


class Bridge:
    def __init__(self, environment: Environment, memory_file: Path) -> None:
        self._environment = environment
        self._memory_file = memory_file
        self._memory = Memory.read(memory_file)
        self.malformed = 0
        for service in ("logs", "sqs", "cloudwatch"):
            environment.clients.client(service)  # takes a second once, which is no reason to rest

    def carry_logs(self) -> int:
        """Publish what the functions have logged since the last time; return the number of invocations."""
        fresh: list[tuple[str, Invocation]] = []
        cursors = dict(self._memory.cursors)
        for name in self._environment.topology.functions:
            group = self._environment.names.log_group(name)
            cursor = cursors.get(group, Cursor())
            found = self._read(group, cursor)
            cursors[group] = cursor.advance({it.stream: it.timestamp_ms for it in found})
            fresh += [(self._environment.names.function(name), it) for it in found]
        if not fresh:
            return 0
        observations: list[Observation] = []
        for function, invocation in fresh:
            said, malformed = observe(function, invocation)
            observations += said
            self.malformed += malformed
        # Remembered before it is published: after a crash between the two, a number is missing rather than
        # doubled, and counters that only grow stay true lower bounds.
        self._memory = Memory(cursors=cursors)
        self._memory.write(self._memory_file)
        self._publish(observations)
        return len(fresh)

    def carry_queues(self, now_ms: int) -> None:
        """Publish how much waits in each queue. The emulator does not tell how old the oldest message is."""
        observations: list[Observation] = []
        for name in self._environment.topology.consumers:
            names = self._environment.names
            for queue, url in (
                (names.queue(name), self._environment.queue_url(name)),
                (names.dead_letter_queue(name), self._environment.dead_letter_url(name)),
            ):
                observations += self._queue(queue, url, now_ms)
        self._publish(observations)

    def _queue(self, queue: str, url: str, now_ms: int) -> list[Observation]:
        answer = self._environment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        counts = answer["Attributes"]
        said = {
            "ApproximateNumberOfMessagesVisible": counts["ApproximateNumberOfMessages"],
            "ApproximateNumberOfMessagesNotVisible": counts["ApproximateNumberOfMessagesNotVisible"],
            "ApproximateNumberOfMessagesDelayed": counts["ApproximateNumberOfMessagesDelayed"],
        }
        return [
            Observation(Series("AWS/SQS", name, (("QueueName", queue),), "Count"), (float(count),), now_ms)
            for name, count in said.items()
        ]

    def _read(self, group: str, cursor: Cursor) -> list[Invocation]:
        logs = self._environment.client("logs")
        found: list[Invocation] = []
        start: int | None = cursor.since_ms
        while start is not None:
            page = logs.filter_log_events(logGroupName=group, startTime=start, limit=_PAGE)["events"]
            events, start = whole_streams(page)
            found += [it for it in invocations(events) if it.stream not in cursor.seen]
        return found

    def _publish(self, observations: Iterable[Observation]) -> None:
        cloudwatch = self._environment.client("cloudwatch")
        by_namespace = sorted(condense(observations), key=lambda pair: pair[0])
        for namespace, pairs in itertools.groupby(by_namespace, key=lambda pair: pair[0]):
            data = [datum for _, datum in pairs]
            for at in range(0, len(data), MAX_DATA):
                try:
                    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[at : at + MAX_DATA])
                except ClientError as error:
                    # Refused, and so it would be again: one bad unit must not stop the others.
                    log.warning("%s: %d data were refused: %s", namespace, len(data), error)


def run(bridge: Bridge, emulator_runs: Callable[[], bool], *, every: float) -> None:
    """Carry until the emulator has gone. It may be killed at any moment: what it knows is replaced whole."""
    queues_due = 0.0
    while emulator_runs():
        started = time.monotonic()
        try:
            bridge.carry_logs()
            if started >= queues_due:
                queues_due = started + _QUEUE_SECONDS
                bridge.carry_queues(int(time.time() * 1000))
        except (BotoCoreError, ClientError) as error:
            log.warning("nothing carried this time: %s", error)
        time.sleep(max(every, min(_LONGEST_REST, _SHARE_OF_TIME * (time.monotonic() - started))))


def main() -> None:
    parser = argparse.ArgumentParser(prog="bridge", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds between two readings")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    state = StackState.read(arguments.home)
    record = state.process("emulator") if state else None
    if record is None:
        raise SystemExit("there is no stack to bridge for")
    bridge = Bridge(open_environment(LOCAL, home=arguments.home), memory_file(arguments.home))
    run(bridge, lambda: processes.find(record) is not None, every=arguments.every)
    log.info("ended; %d metric lines could not be read", bridge.malformed)


def memory_file(home: Path) -> Path:
    return home / "bridge.json"


if __name__ == "__main__":
    main()
