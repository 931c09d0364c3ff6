"""The archive of the bus, replayed into a queue per replay.

The consumers' rules match live events only (docs/adr/0008), so a replayed event reaches nothing but the queue
of its replay.
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
"""If this process dies, the messages it had received are visible again after this time."""
_OVERHEAD = 500
_QUEUE_SECONDS = 14 * 86_400
"""How long an interrupted replay can be resumed: SQS keeps messages no longer."""


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """The whole archive; EventBridge does not count a window of it."""

    events: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    state: str
    why: str | None = None
    reached: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.state in {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass(frozen=True, slots=True)
class ArchivedEvent:
    """One archived event in the queue of its replay."""

    event: str
    body: str
    receipt: str = field(repr=False)


class Archive(Protocol):
    @property
    def name(self) -> str: ...

    def contents(self) -> ArchiveContents: ...

    def start(
        self, name: str, since: datetime, until: datetime, events: Collection[str], notes: Mapping[str, str]
    ) -> None:
        """Start replaying some events of a window into a new queue, which carries the notes as tags."""

    def progress(self, name: str) -> ReplayProgress: ...

    def take(self, name: str) -> Iterator[Sequence[ArchivedEvent]]:
        """Receive replayed events in batches, until the replay has ended and its queue is empty."""

    def remove(self, name: str, replayed: Sequence[ArchivedEvent]) -> None:
        """Delete processed events from the queue."""

    def notes(self, name: str) -> Mapping[str, str]:
        """Read the notes of an unfinished replay."""

    def unfinished(self) -> list[str]:
        """List the replays whose queues still exist."""

    def discard(self, name: str) -> None:
        """Cancel a replay that still runs, and delete its queue with its contents."""


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
        """`settling`: seconds until a new rule takes effect, or until an event in transit arrives."""
        self.name = names.archive
        self._events = events
        self._sqs = sqs
        self._names = names
        self._clock = clock
        self._settling = settling

    def contents(self) -> ArchiveContents:
        try:
            described = self._events.describe_archive(ArchiveName=self.name)
        except self._events.exceptions.ResourceNotFoundException:
            raise ToolError(f"archive {self.name} not found; deploy the environment first.") from None
        return ArchiveContents(described.get("EventCount"), described.get("CreationTime"))

    def start(
        self, name: str, since: datetime, until: datetime, events: Collection[str], notes: Mapping[str, str]
    ) -> None:
        archive = self._events.describe_archive(ArchiveName=self.name)
        rule = self._create_queue_and_rule(name, events, notes)
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
            raise ToolError(
                f"EventBridge refused the replay: {error.response['Error']['Message']}"
            ) from error

    def progress(self, name: str) -> ReplayProgress:
        described = self._events.describe_replay(ReplayName=name)
        return ReplayProgress(
            described["State"], described.get("StateReason"), described.get("EventLastReplayedTime")
        )

    def take(self, name: str) -> Iterator[Sequence[ArchivedEvent]]:
        url = self._url(name)
        ended, quiet = False, 0.0
        while True:
            polled_at = self._clock.now()
            messages = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=_HELD_SECONDS
            ).get("Messages", [])
            if messages:
                quiet = 0.0
                yield [
                    ArchivedEvent(_event(message["Body"]), message["Body"], message["ReceiptHandle"])
                    for message in messages
                ]
                continue
            if ended:
                quiet += (self._clock.now() - polled_at).total_seconds()
                if quiet >= self._settling:
                    return
            # Only when the queue is empty, so that DescribeReplay is not called for every ten events.
            ended = ended or self.progress(name).ended

    def remove(self, name: str, replayed: Sequence[ArchivedEvent]) -> None:
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
        # Any of them may not exist: a replay can be interrupted anywhere.
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
            # It may have ended in the meantime.
            if not self.progress(name).ended:
                raise

    def _create_queue_and_rule(self, name: str, events: Collection[str], notes: Mapping[str, str]) -> str:
        """Create a queue, and a rule that routes this replay's events to it; returns the rule's ARN."""
        rule, bus = self._rule(name), self._names.bus
        arn = self._events.put_rule(
            Name=rule,
            EventBusName=bus,
            EventPattern=json.dumps({"replay-name": [name], "detail-type": sorted(events)}),
            Description="Events of a `pulsequeue replay`; deleted when the replay is done.",
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
            raise ToolError(f"unfinished replay {name!r} not found.") from None


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
