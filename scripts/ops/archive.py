"""The archive of the bus, as EventBridge keeps it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from scripts.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from scripts.topology import Names


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


class Archive(Protocol):
    @property
    def name(self) -> str: ...

    def contents(self) -> Contents: ...

    def start(self, name: str, since: datetime, until: datetime, functions: Collection[str]) -> None:
        """Begin to send again what came in between, to the rules of these functions only."""

    def progress(self, name: str) -> Progress: ...


class EventBridgeArchive:
    def __init__(self, client: "EventBridgeClient", names: "Names") -> None:
        self.name = names.archive
        self._client = client
        self._names = names

    def contents(self) -> Contents:
        try:
            described = self._client.describe_archive(ArchiveName=self.name)
        except self._client.exceptions.ResourceNotFoundException:
            raise ToolError(f"there is no archive {self.name}; deploy the environment first.") from None
        return Contents(described.get("EventCount"), described.get("CreationTime"))

    def start(self, name: str, since: datetime, until: datetime, functions: Collection[str]) -> None:
        rules = [
            self._client.describe_rule(Name=self._names.rule(function), EventBusName=self._names.bus)["Arn"]
            for function in functions
        ]
        archive = self._client.describe_archive(ArchiveName=self.name)
        try:
            self._client.start_replay(
                ReplayName=name,
                EventSourceArn=archive["ArchiveArn"],
                EventStartTime=since,
                EventEndTime=until,
                Destination={"Arn": archive["EventSourceArn"], "FilterArns": rules},
            )
        except ClientError as error:
            raise ToolError(f"the replay was refused: {error.response['Error']['Message']}") from error

    def progress(self, name: str) -> Progress:
        described = self._client.describe_replay(ReplayName=name)
        return Progress(
            described["State"], described.get("StateReason"), described.get("EventLastReplayedTime")
        )
