"""Listens in on the bus, through a rule and a queue that are there only as long as a verification."""

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
PROBES: Final = 10
"""As many as the bus takes in one call."""
SOURCE: Final = "pulsequeue.verify"
_SURVIVES_SECONDS: Final = 3_600
"""How long a run may be under way; what is older was left behind by one that was killed."""
_OVERHEAD: Final = 200


@dataclass(frozen=True, slots=True)
class Heard:
    event: str
    order_id: str
    event_id: str | None
    body: str
    """The message itself, as every queue behind a rule gets it."""


class Listening:
    """Hears what the bus carries about some orders."""

    def __init__(self, environment: Environment, run: str, order_ids: Sequence[str]) -> None:
        self._bus = environment.names.bus
        self._events = environment.client("events")
        self._sqs = environment.client("sqs")
        self._prefix = f"{environment.names.prefix}-verify-"
        self._run = run
        self._about = [*order_ids, run]
        self._heard: list[Heard] = []
        self._begun = False
        self._probed = 0

    @property
    def name(self) -> str:
        return f"{self._prefix}{self._run}"

    def begin(self) -> None:
        """Make the queue, and the rule that leads into it."""
        self._begun = True
        events, sqs, bus = self._events, self._sqs, self._bus
        url = sqs.create_queue(
            QueueName=self.name, Attributes={"MessageRetentionPeriod": str(_SURVIVES_SECONDS)}
        )["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"detail": {"orderId": self._about}, "replay-name": [{"exists": False}]}
        rule = events.put_rule(
            Name=self.name,
            EventBusName=bus,
            EventPattern=json.dumps(pattern),
            Description="What `pulsequeue verify` listens by; it goes when the verification ends.",
        )["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_policy(arn, rule))})
        events.put_targets(Rule=self.name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])

    def probe(self) -> bool:
        """Send events that nobody but we subscribed to, and say whether those of any one time all came.

        AWS makes a new rule known to one of its machines after the other: that one event came says little.
        """
        self._probed += 1
        self._events.put_events(
            Entries=[
                {
                    "Source": SOURCE,
                    "DetailType": PROBE,
                    "Detail": json.dumps({"orderId": self._run, "eventId": f"{self._probed}/{number}"}),
                    "EventBusName": self._bus,
                }
                for number in range(PROBES)
            ]
        )
        came = {it.event_id for it in self.heard() if it.event == PROBE}
        return PROBES in Counter(str(it).partition("/")[0] for it in came).values()

    def heard(self) -> list[Heard]:
        """Return everything heard so far, as often as it came."""
        url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        while messages := self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", []):
            self._heard += [_heard(message["Body"]) for message in messages]
            for batch in in_batches(messages, lambda _: _OVERHEAD):
                self._sqs.delete_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                        for number, message in enumerate(batch)
                    ],
                )
        return list(self._heard)

    def end(self, now: datetime) -> None:
        """Remove rule and queue, and those that killed runs left behind."""
        if not self._begun:
            return
        for name in [self.name, *self._left_behind(now)]:
            self._remove(name)

    def _left_behind(self, now: datetime) -> list[str]:
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        names = []
        for url in [url for page in pages for url in page.get("QueueUrls", [])]:
            with suppress(self._sqs.exceptions.QueueDoesNotExist):
                made = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
                if now.timestamp() - float(made["Attributes"]["CreatedTimestamp"]) > _SURVIVES_SECONDS:
                    names.append(url.rpartition("/")[2])
        return names

    def _remove(self, name: str) -> None:
        # That the one may not be removed, or was interrupted, keeps nobody from removing the other.
        with ExitStack() as undo:
            undo.callback(self._remove_queue, name)
            undo.callback(self._remove_rule, name)

    # Either may never have been made: a run can be broken off anywhere.

    def _remove_rule(self, name: str) -> None:
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.remove_targets(Rule=name, EventBusName=self._bus, Ids=["queue"])
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.delete_rule(Name=name, EventBusName=self._bus)

    def _remove_queue(self, name: str) -> None:
        with suppress(self._sqs.exceptions.QueueDoesNotExist):
            self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _heard(body: str) -> Heard:
    envelope = json.loads(body)
    detail = envelope["detail"]
    return Heard(str(envelope["detail-type"]), str(detail.get("orderId")), detail.get("eventId"), body)


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
