"""Records the events that the bus delivers, through a temporary rule and queue."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.shared.adapters.clients import in_batches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from scripts.environment.environment import Environment

PROBE: Final = "VerificationProbe"
"""An event that no function subscribes to."""
PROBES_PER_ROUND: Final = 10
"""The most that PutEvents takes in one call."""
SOURCE: Final = "pulsequeue.verify"
_MAX_RUN_SECONDS: Final = 3_600
"""Rules and queues that are older were left behind by a run that was killed."""
_OVERHEAD: Final = 200


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    event: str
    order_id: str
    event_id: str | None
    body: str
    """The message itself, as every queue behind a rule receives it."""


class BusProbe:
    """Records what the bus delivers about some orders."""

    def __init__(self, environment: Environment, run: str, order_ids: Sequence[str]) -> None:
        self._bus = environment.names.bus
        self._events = environment.client("events")
        self._sqs = environment.client("sqs")
        self._prefix = f"{environment.names.prefix}-verify-"
        self._run = run
        self._matched_ids = [*order_ids, run]
        self._recorded: list[RecordedEvent] = []
        self._started = False
        self._rounds = 0

    @property
    def name(self) -> str:
        return f"{self._prefix}{self._run}"

    def start(self) -> None:
        """Create the queue, and the rule that delivers to it."""
        self._started = True
        events, sqs, bus = self._events, self._sqs, self._bus
        url = sqs.create_queue(
            QueueName=self.name, Attributes={"MessageRetentionPeriod": str(_MAX_RUN_SECONDS)}
        )["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"detail": {"orderId": self._matched_ids}, "replay-name": [{"exists": False}]}
        rule = events.put_rule(
            Name=self.name,
            EventBusName=bus,
            EventPattern=json.dumps(pattern),
            Description="Temporary rule of `pulsequeue verify`; removed when the verification ends.",
        )["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_policy(arn, rule))})
        events.put_targets(Rule=self.name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def probe(self) -> bool:
        """Send a round of test events, and tell whether all events of any one round have arrived.

        AWS rolls a new rule out machine by machine: a single event that arrives proves little.
        """
        self._rounds += 1
        self._events.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": PROBE,
                    "Detail": json.dumps({"orderId": self._run, "eventId": f"{self._rounds}/{number}"}),
                    "EventBusName": self._bus,
                }
                for number in range(PROBES_PER_ROUND)
            ]
        )
        arrived = {it.event_id for it in self.recorded() if it.event == PROBE}
        return PROBES_PER_ROUND in Counter(str(it).partition("/")[0] for it in arrived).values()

    def recorded(self) -> list[RecordedEvent]:
        """Return every event delivered so far, duplicates included."""
        url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        while messages := self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", []):
            self._recorded += [_parse(message["Body"]) for message in messages]
            for batch in in_batches(messages, lambda _: _OVERHEAD):
                self._sqs.delete_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                        for number, message in enumerate(batch)
                    ],
                )
        return list(self._recorded)

    def stop(self, now: datetime) -> None:
        """Remove rule and queue, and those that killed runs left behind."""
        if not self._started:
            return
        for name in [self.name, *self._left_behind(now)]:
            self._remove(name)

    def _left_behind(self, now: datetime) -> list[str]:
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        names = []
        for url in [url for page in pages for url in page.get("QueueUrls", [])]:
            with suppress(self._sqs.exceptions.QueueDoesNotExist):
                created = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
                if now.timestamp() - float(created["Attributes"]["CreatedTimestamp"]) > _MAX_RUN_SECONDS:
                    names.append(url.rpartition("/")[2])
        return names

    def _remove(self, name: str) -> None:
        # The queue is removed even when removing the rule fails or is interrupted.
        with ExitStack() as undo:
            undo.callback(self._remove_queue, name)
            undo.callback(self._remove_rule, name)

    # Either may not exist: a run can be interrupted anywhere.

    def _remove_rule(self, name: str) -> None:
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.remove_targets(Rule=name, EventBusName=self._bus, Ids=["queue"])
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.delete_rule(Name=name, EventBusName=self._bus)

    def _remove_queue(self, name: str) -> None:
        with suppress(self._sqs.exceptions.QueueDoesNotExist):
            self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _parse(body: str) -> RecordedEvent:
    envelope = json.loads(body)
    detail = envelope["detail"]
    return RecordedEvent(
        str(envelope["detail-type"]), str(detail.get("orderId")), detail.get("eventId"), body
    )


def _policy(queue: str, rule: str) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ],
    }
