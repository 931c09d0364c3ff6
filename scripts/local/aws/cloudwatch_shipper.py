"""Publishes the metrics that AWS publishes itself and the emulator does not.

Embedded metrics in log lines, AWS/Lambda from REPORT lines, and AWS/SQS from the queues. Runs as its own
process and exits when the emulator does.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from scripts.environment.environment import LOCAL, Environment, open_environment
from scripts.environment.local_state import StackState
from scripts.local import processes
from scripts.local.aws.concurrency import Span, peaks
from scripts.local.aws.emf import (
    MalformedLineError,
    Observation,
    Series,
    condense,
    durations,
    lambda_metric,
    parse_emf,
    parse_invocation,
)
from scripts.local.aws.log_cursors import PAGE, Cursor, Invocation, LogCursors, invocations, whole_streams
from scripts.local.aws.queue_peek import QueuePeek, age_of_oldest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MAX_DATA = 1_000
"""CloudWatch takes this many data in one call."""

_QUEUE_SECONDS = 10.0
_LONGEST_QUEUE_SECONDS = 60.0
_MAX_PAUSE = 10.0
_SHARE_OF_TIME = 20  # pause this many times as long as a read took: the emulator has orders to process

log = logging.getLogger("cloudwatch-shipper")


def observe(function: str, invocation: Invocation) -> tuple[list[Observation], int]:
    """Return the observations of one invocation, and the number of malformed metric lines."""
    observations = parse_invocation(function, invocation.timestamp_ms, invocation.lines)
    malformed = 0
    for line in invocation.lines:
        try:
            observations += parse_emf(line)
        except MalformedLineError as error:
            malformed += 1
            log.warning("%s: malformed metric line (%s): %.200s", function, error, line)
    return observations, malformed


class CloudWatchShipper:
    def __init__(self, environment: Environment, cursors_file: Path, peek: QueuePeek) -> None:
        self._environment = environment
        self._peek = peek
        # An invocation that ended longer ago cannot overlap with one still to be read.
        self._longest_run_ms = 1_000 * max(
            spec.timeout_seconds for spec in environment.topology.functions.values()
        )
        self._running: dict[str, list[Span]] = {}
        self._cursors_file = cursors_file
        self._cursors = LogCursors.read(cursors_file)
        self.malformed = 0
        for service in ("logs", "sqs", "cloudwatch"):
            environment.clients.client(
                service
            )  # created here: it takes a second, which would lengthen the pause

    def ship_logs(self) -> int:
        """Publish the metrics logged since the last call; return the number of invocations."""
        fresh: list[tuple[str, Invocation]] = []
        cursors = dict(self._cursors.cursors)
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
            observed, malformed = observe(function, invocation)
            observations += observed
            self.malformed += malformed
        observations += self._concurrency(fresh)
        # Stored before publishing: a crash between the two loses a number rather than counting it twice.
        self._cursors = LogCursors(cursors=cursors)
        self._cursors.write(self._cursors_file)
        self._publish(observations)
        return len(fresh)

    def _concurrency(self, fresh: Sequence[tuple[str, Invocation]]) -> list[Observation]:
        """Return the peak concurrency per function and minute, as known so far.

        A later read may publish a higher value: queries use the maximum of a minute.
        """
        observations: list[Observation] = []
        by_function = itertools.groupby(sorted(fresh, key=lambda pair: pair[0]), key=lambda pair: pair[0])
        for function, pairs in by_function:
            spans = [
                Span.ended(invocation.timestamp_ms, duration)
                for _, invocation in pairs
                for duration in durations(invocation.lines)
            ]
            if not spans:
                continue
            since, last = min(span.start_ms for span in spans), max(span.end_ms for span in spans)
            known = [*self._running.get(function, ()), *spans]
            self._running[function] = [span for span in known if span.end_ms > last - self._longest_run_ms]
            observations += [
                lambda_metric(function, "ConcurrentExecutions", "Count", minute, float(most))
                for minute, most in peaks(known).items()
                if minute + 60_000 > since
            ]
        return observations

    def ship_queues(self, now_ms: int) -> None:
        """Publish the depth of each queue and the age of its oldest message."""
        observations: list[Observation] = []
        for name in self._environment.topology.consumers:
            names = self._environment.names
            observations += self._queue(names.queue(name), self._environment.queue_url(name), now_ms)
            observations += self._queue(
                names.dead_letter_queue(name),
                self._environment.dead_letter_url(name),
                now_ms,
                dlq=True,
            )
        self._publish(observations)

    def _queue(self, queue: str, url: str, now_ms: int, *, dlq: bool = False) -> Iterator[Observation]:
        def observation(name: str, value: float, unit: str = "Count") -> Observation:
            return Observation(Series("AWS/SQS", name, (("QueueName", queue),), unit), (value,), now_ms)

        response = self._environment.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        counts = response["Attributes"]
        visible = float(counts["ApproximateNumberOfMessages"])
        in_flight = float(counts["ApproximateNumberOfMessagesNotVisible"])
        yield observation("ApproximateNumberOfMessagesVisible", visible)
        yield observation("ApproximateNumberOfMessagesNotVisible", in_flight)
        yield observation(
            "ApproximateNumberOfMessagesDelayed", float(counts["ApproximateNumberOfMessagesDelayed"])
        )
        # Read only when not empty: orders waiting for their expiry can be many.
        messages = self._peek.messages(url) if visible + in_flight else []
        if messages is not None:
            age = age_of_oldest(messages, now_ms, dlq=dlq)
            yield observation("ApproximateAgeOfOldestMessage", age, "Seconds")

    def _read(self, group: str, cursor: Cursor) -> list[Invocation]:
        logs = self._environment.client("logs")
        found: list[Invocation] = []
        start: int | None = cursor.since_ms
        while start is not None:
            page = logs.filter_log_events(logGroupName=group, startTime=start, limit=PAGE)["events"]
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
                    # A retry would fail again; one invalid unit must not stop the other metrics.
                    log.warning("%s: %d data rejected: %s", namespace, len(data), error)


def seconds_between_queue_readings(took: float) -> float:
    """Return the pause before the next read of the queues: the longer a read takes, the rarer."""
    return min(max(_QUEUE_SECONDS, _SHARE_OF_TIME * took), _LONGEST_QUEUE_SECONDS)


def run(shipper: CloudWatchShipper, emulator_runs: Callable[[], bool], *, every: float) -> None:
    """Publish until the emulator exits. Cursors are replaced atomically, so it may be killed at any time."""
    queues_due = 0.0
    while emulator_runs():
        started = time.monotonic()
        try:
            shipper.ship_logs()
            if started >= queues_due:
                began = time.monotonic()
                shipper.ship_queues(int(time.time() * 1000))
                took = time.monotonic() - began
                queues_due = began + seconds_between_queue_readings(took)
        except (BotoCoreError, ClientError) as error:
            log.warning("publishing failed; retrying: %s", error)
        time.sleep(max(every, min(_MAX_PAUSE, _SHARE_OF_TIME * (time.monotonic() - started))))


def main() -> None:
    parser = argparse.ArgumentParser(prog="cloudwatch-shipper", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--every", type=float, required=True, help="seconds between two reads")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    state = StackState.read(arguments.home)
    record = state.process("emulator") if state else None
    if state is None or record is None:
        raise SystemExit("no local stack is running; start it with `make up`")
    environment, peek = open_environment(LOCAL, home=arguments.home), QueuePeek(state.aws_endpoint)
    shipper = CloudWatchShipper(environment, cursors_file(arguments.home), peek)
    run(shipper, lambda: processes.find(record) is not None, every=arguments.every)
    log.info("exiting; %d malformed metric lines", shipper.malformed)


def cursors_file(home: Path) -> Path:
    return home / "log-cursors.json"


if __name__ == "__main__":
    main()
