"""Sends a plan to a running stack, waits until nothing moves, and reads what is there then."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from scripts.environment.environment import Environment
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek, redrive
from scripts.ops.dlq.messages import RETRIES_EXHAUSTED, Filter
from services.shared.ledger import Status
from tests.chaos.plan import BUS, Message
from tests.chaos.verdict import PublishedEvent, SystemState
from tests.support.pipeline_client import EventRecorder

_AT_ONCE = 10
_LOOKS = 3
"""Empty queues seen so many times in a row: what a function sends on is on its way for a moment."""
_PAUSE = 0.4
_LOOK_EVERY = 2.0
"""Counting all orders takes time that the orders could have."""
_EXHAUSTED = Filter(reasons=frozenset({RETRIES_EXHAUSTED}))


class TooLateError(Exception):
    """The run did not come to rest before its deadline."""


class Traffic:
    def __init__(self, environment: Environment, witness: EventRecorder, deadline: float) -> None:
        self.ops = AwsOpsContext(environment)
        self.redriven = 0
        self._environment = environment
        self._witness = witness
        self._deadline = deadline

    def send(self, messages: Sequence[Message], seconds: float, reached: Callable[[float], None]) -> None:
        """Send everything in order, evenly over some seconds; `reached` hears which share is out."""
        started, sent = time.monotonic(), 0
        for batch in _batches(messages):
            due = started + seconds * sent / len(messages)
            time.sleep(max(0.0, due - time.monotonic()))
            self._send(batch)
            sent += len(batch)
            reached(sent / len(messages))

    def _send(self, batch: Sequence[Message]) -> None:
        if batch[0].to != BUS:
            refused = self.ops.work_queue(batch[0].to).send([message.body for message in batch])
            assert not refused, "the queue did not take a message"
            return
        answer = self._environment.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self._environment.names.bus,
                    "Source": "tests.chaos",
                    "DetailType": message.name,
                    "Detail": json.dumps(message.detail),
                }
                for message in batch
            ]
        )
        assert answer["FailedEntryCount"] == 0, "the bus did not take an event"

    def decided(self) -> int:
        return sum(order.status is not Status.RESERVED for order in self.ops.store.scan_orders())

    def go_on(self, orders: int, seconds: float) -> None:
        """Wait until so many orders are decided, but no longer than some seconds."""
        end = time.monotonic() + seconds
        while self.decided() < orders and time.monotonic() < end:
            time.sleep(_LOOK_EVERY)

    def rest(self) -> None:
        """Wait until every queue is empty, of what is to be delivered late as well."""
        empty = 0
        while empty < _LOOKS:
            if time.monotonic() > self._deadline:
                raise TooLateError(f"messages are still under way: {self._waiting()}")
            time.sleep(_PAUSE)
            empty = empty + 1 if not any(self._waiting().values()) else 0

    def redrive(self) -> int:
        """Send round again what ran out of deliveries; what cannot be read stays where it is."""
        sent = 0
        for function in self._environment.topology.consumers:
            dlq = self.ops.dlq(function)
            sent += len(redrive(self.ops, dlq, _EXHAUSTED, rate=None, on_progress=lambda _: None).done)
        self.redriven += sent
        return sent

    def read_state(self) -> SystemState:
        """Read everything; only true when nothing moves."""
        queues = [self.ops.dlq(function) for function in self._environment.topology.consumers]
        return SystemState(
            orders=list(self.ops.store.scan_orders()),
            stock=list(self.ops.store.scan_stock()),
            dead_letters=peek(queues, Filter()),
            events=[PublishedEvent(name, detail) for name, detail in self._witness.all_events()],
        )

    def _waiting(self) -> dict[str, int]:
        return {function: self._in_queue(function) for function in self._environment.topology.consumers}

    def _in_queue(self, function: str) -> int:
        attributes = self._environment.client("sqs").get_queue_attributes(
            QueueUrl=self._environment.queue_url(function),
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())


def _batches(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Cut into calls of ten at most, each to one place, in order."""
    for _, group in groupby(messages, key=lambda message: message.to):
        same = list(group)
        for start in range(0, len(same), _AT_ONCE):
            yield same[start : start + _AT_ONCE]
