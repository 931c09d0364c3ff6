"""How far each log group was read, so that every line is read once, also after a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef

PAGE = 10_000
"""CloudWatch Logs returns this many events at once."""

_OVERLAP_MS = 5_000  # a line may become readable a moment after its timestamp


class Cursor(BaseModel):
    """How far one log group was read.

    The emulator writes one stream per invocation, at once, so a stream is read completely or not at all.
    """

    model_config = ConfigDict(frozen=True)

    since_ms: int = 0
    seen: dict[str, int] = Field(default_factory=dict)

    def advance(self, streams: Mapping[str, int]) -> Cursor:
        """Add these streams; drop those older than the next read."""
        seen = {**self.seen, **streams}
        since = max(self.since_ms, max(seen.values(), default=0) - _OVERLAP_MS)
        return Cursor(since_ms=since, seen={name: at for name, at in seen.items() if at >= since})


class LogCursors(BaseModel):
    """The cursors of all log groups, stored between runs."""

    model_config = ConfigDict(frozen=True)

    cursors: dict[str, Cursor] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> LogCursors:
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
    """Group lines by stream."""
    streams: dict[str, list[FilteredLogEventTypeDef]] = {}
    for event in events:
        streams.setdefault(event["logStreamName"], []).append(event)
    return [
        Invocation(stream, lines[-1]["timestamp"], tuple(line["message"] for line in lines))
        for stream, lines in streams.items()
    ]


def whole_streams(
    events: Sequence[FilteredLogEventTypeDef], page: int = PAGE
) -> tuple[list[FilteredLogEventTypeDef], int | None]:
    """Cut a full page before its last timestamp, whose streams may go on; return the next start."""
    if len(events) < page:
        return list(events), None
    last = events[-1]["timestamp"]
    if events[0]["timestamp"] == last:
        return list(events), last + 1
    return [event for event in events if event["timestamp"] < last], last
