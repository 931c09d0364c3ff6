"""What the bus delivers, taken from it through a temporary rule and queue."""

from __future__ import annotations

import json
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, Final

from services.shared.adapters.clients import in_batches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from scripts.environment.environment import Environment

_OVERHEAD: Final = 200
_LIVE_ONLY: Final = {"replay-name": [{"exists": False}]}


class BusTap:
    """A rule that copies events to a queue of its own, from `start` to `stop`.

    Its name says until when it is wanted: a tap whose time is over was left behind by a run that was killed.
    """

    def __init__(self, environment: Environment, command: str, run: str, lifetime: timedelta) -> None:
        self._bus = environment.names.bus
        self._events = environment.client("events")
        self._sqs = environment.client("sqs")
        self._command = command
        self._lifetime = lifetime
        self._prefix = f"{environment.names.prefix}-{command}-"
        self.ends = datetime.now(UTC) + lifetime
        self.name = f"{self._prefix}{int(self.ends.timestamp())}-{run}"

    def start(self, pattern: Mapping[str, Any]) -> None:
        """Create the queue, and the rule that delivers live events of the pattern to it.

        First those are removed that killed runs left behind.
        """
        for name in self._left_behind(datetime.now(UTC)):
            self._remove(name)
        events, sqs = self._events, self._sqs
        retention = str(int(self._lifetime.total_seconds()))
        url = sqs.create_queue(QueueName=self.name, Attributes={"MessageRetentionPeriod": retention})[
            "QueueUrl"
        ]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = events.put_rule(
            Name=self.name,
            EventBusName=self._bus,
            EventPattern=json.dumps({**pattern, **_LIVE_ONLY}),
            Description=f"Temporary rule of `pulsequeue {self._command}`; removed when it ends.",
        )["RuleArn"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(_policy(arn, rule))})
        events.put_targets(Rule=self.name, EventBusName=self._bus, Targets=[{"Id": "queue", "Arn": arn}])

    def take(self, seconds: int = 1) -> Sequence[str]:
        """Receive and delete up to ten events, as their envelopes; wait so long for the first."""
        url = self._sqs.get_queue_url(QueueName=self.name)["QueueUrl"]
        messages = self._sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=seconds
        ).get("Messages", [])
        for batch in in_batches(messages, lambda _: _OVERHEAD):
            self._sqs.delete_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                    for number, message in enumerate(batch)
                ],
            )
        return [message["Body"] for message in messages]

    def stop(self) -> None:
        """Remove rule and queue."""
        self._remove(self.name)

    def _left_behind(self, now: datetime) -> Sequence[str]:
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        names = [url.rpartition("/")[2] for page in pages for url in page.get("QueueUrls", [])]
        return [it for it in names if self._end_of(it) < now.timestamp()]

    def _end_of(self, name: str) -> float:
        end, _, _ = name.removeprefix(self._prefix).partition("-")
        return float(end) if end.isdigit() else inf

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
