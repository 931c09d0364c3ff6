"""The archive of the bus. What is replayed from it lands in a queue of its own, to be counted or passed on.

The consumers' rules take live events only (docs/adr/0008): whatever EventBridge replays, it reaches nobody
but the queue that this replay has made for itself.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from scripts.common.errors import ToolError
from services.shared.adapters.clients import in_batches

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

    from scripts.common.clock import Clock
    from scripts.environment.topology import Names

_HELD_SECONDS = 60
"""Should this process die, what it had in hand is there again after so long."""
_OVERHEAD = 500
_QUEUE_SECONDS = 14 * 86_400
"""How long SQS keeps what was replayed, for a replay that was broken off to be taken up again."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that the archive holds, not only a window of it: EventBridge counts no windows."""

    events: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    state: str
    why: str | None = None
    reached: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.state in {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One archived event, as it lies in the queue of its replay."""

    event: str
    body: str
    receipt: str = field(repr=False)


class Archive(Protocol):
    @property
    def name(self) -> str: ...

    def contents(self) -> Contents: ...

    def start(
        self, name: str, since: datetime, until: datetime, events: Collection[str], notes: Mapping[str, str]
    ) -> None:
        """Begin to replay these events of a window into a queue of their own, with notes pinned to it."""

    def progress(self, name: str) -> Progress: ...

    def take(self, name: str) -> Iterator[Sequence[Replayed]]:
        """Receive what was replayed, batch by batch, until the replay has ended and no more comes."""

    def remove(self, name: str, replayed: Sequence[Replayed]) -> None:
        """Take out of the queue what is done with."""

    def notes(self, name: str) -> Mapping[str, str]:
        """Read the notes of a replay that was begun."""

    def unfinished(self) -> list[str]:
        """Name the replays whose queues are still there."""

    def discard(self, name: str) -> None:
        """Cancel a replay if it still runs, and remove its queue with all that is in it."""


class EventBridgeArchive:
    def __init__(
        self,
        events: "EventBridgeClient",
        sqs: "SQSClient",
        names: "Names",
        clock: "Clock",
        *,
        settling: float,
    ) -> None:
        """`settling` is how many seconds a new rule, or an event that is on its way, may take to arrive."""
        self.name = names.archive
        self._events = events
        self._sqs = sqs
        self._names = names
        self._clock = clock
        self._settling = settling

    def contents(self) -> Contents:
        try:
            described = self._events.describe_archive(ArchiveName=self.name)
        except self._events.exceptions.ResourceNotFoundException:
            raise ToolError(f"there is no archive {self.name}; deploy the environment first.") from None
        return Contents(described.get("EventCount"), described.get("CreationTime"))

    def start(
        self, name: str, since: datetime, until: datetime, events: Collection[str], notes: Mapping[str, str]
    ) -> None:
        archive = self._events.describe_archive(ArchiveName=self.name)
        rule = self._make_way(name, events, notes)
        if self._settling:
            self._clock.sleep(self._settling)
        try:
            self._events.start_replay(
                ReplayName=name,
                EventSourceArn=archive["ArchiveArn"],
                EventStartTime=since,
                EventEndTime=until,
                Destination={"Arn": archive["EventSourceArn"], "FilterArns": [rule]},
            )
        except ClientError as error:
            raise ToolError(f"the replay was refused: {error.response['Error']['Message']}") from error

    def progress(self, name: str) -> Progress:
        described = self._events.describe_replay(ReplayName=name)
        return Progress(
            described["State"], described.get("StateReason"), described.get("EventLastReplayedTime")
        )

    def take(self, name: str) -> Iterator[Sequence[Replayed]]:
        url = self._url(name)
        ended, quiet = False, 0.0
        while True:
            asked = self._clock.now()
            messages = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=_HELD_SECONDS
            ).get("Messages", [])
            if messages:
                quiet = 0.0
                yield [
                    Replayed(_event(message["Body"]), message["Body"], message["ReceiptHandle"])
                    for message in messages
                ]
                continue
            if ended:
                quiet += (self._clock.now() - asked).total_seconds()
                if quiet >= self._settling:
                    return
            # Only when nothing came: DescribeReplay is not to be asked for every ten events.
            ended = ended or self.progress(name).ended

    def remove(self, name: str, replayed: Sequence[Replayed]) -> None:
        url = self._url(name)
        for batch in in_batches(replayed, lambda _: _OVERHEAD):
            self._sqs.delete_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(index), "ReceiptHandle": one.receipt} for index, one in enumerate(batch)],
            )

    def notes(self, name: str) -> Mapping[str, str]:
        return self._sqs.list_queue_tags(QueueUrl=self._url(name)).get("Tags", {})

    def unfinished(self) -> list[str]:
        prefix = self._queue("")
        pages = self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        urls = [url for page in pages for url in page.get("QueueUrls", [])]
        return sorted(url.rpartition("/")[2].removeprefix(prefix) for url in urls)

    def discard(self, name: str) -> None:
        rule, bus = self._rule(name), self._names.bus
        # Each may be gone, or never have been made: a replay can be broken off anywhere.
        with suppress(self._events.exceptions.ResourceNotFoundException):
            if not self.progress(name).ended:
                self._cancel(name)
        with suppress(self._events.exceptions.ResourceNotFoundException):
            self._events.remove_targets(Rule=rule, EventBusName=bus, Ids=["queue"])
            self._events.delete_rule(Name=rule, EventBusName=bus)
        with suppress(self._sqs.exceptions.QueueDoesNotExist):
            self._sqs.delete_queue(QueueUrl=self._sqs.get_queue_url(QueueName=self._queue(name))["QueueUrl"])

    def _cancel(self, name: str) -> None:
        try:
            self._events.cancel_replay(ReplayName=name)
        except ClientError:
            # It may have ended between being looked at and being cancelled.
            if not self.progress(name).ended:
                raise

    def _make_way(self, name: str, events: Collection[str], notes: Mapping[str, str]) -> str:
        """Make a queue, and a rule that puts this replay's events into it; returns the rule's ARN."""
        rule, bus = self._rule(name), self._names.bus
        arn = self._events.put_rule(
            Name=rule,
            EventBusName=bus,
            EventPattern=json.dumps({"replay-name": [name], "detail-type": sorted(events)}),
            Description="What `pulsequeue replay` replays; it goes when the replay is done.",
        )["RuleArn"]
        url = self._sqs.create_queue(
            QueueName=self._queue(name),
            Attributes={"MessageRetentionPeriod": str(_QUEUE_SECONDS)},
            tags=dict(notes),
        )["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        self._sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"Policy": json.dumps(_policy(queue["QueueArn"], arn))}
        )
        self._events.put_targets(
            Rule=rule, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue["QueueArn"]}]
        )
        return arn

    def _rule(self, name: str) -> str:
        return self._queue(name)[:64]

    def _queue(self, name: str) -> str:
        return f"{self._names.prefix}-replay-{name}"

    def _url(self, name: str) -> str:
        try:
            return self._sqs.get_queue_url(QueueName=self._queue(name))["QueueUrl"]
        except self._sqs.exceptions.QueueDoesNotExist:
            raise ToolError(f"there is no unfinished replay {name!r}.") from None


def _event(body: str) -> str:
    return str(json.loads(body)["detail-type"])


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
