"""How the emulator's event source mappings receive: whole batches, at the end of their window, when due.

MiniStack returns at most 10 messages whatever the batch size is, ignores batch windows, and scans every
message of a queue at each poll, the delayed ones too. `Receiver` replaces that: it remembers when the first
message of a queue is due, and until then scans only what was appended since.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

Message = dict[str, Any]
Queue = dict[str, Any]

MOST_MESSAGES: Final = 10_000
"""A batch of a standard queue holds no more on AWS."""


@dataclass(slots=True)
class _Scan:
    """The result of the last scan of a queue."""

    messages: list[Message]
    length: int
    last: Message | None
    earliest: float
    changes: int

    def still_holds(self, messages: list[Message], changes: int) -> bool:
        """Whether messages were only appended since; anything else requires a new scan."""
        return (
            self.messages is messages
            and self.changes == changes
            and self.length <= len(messages)
            and (self.length == 0 or messages[self.length - 1] is self.last)
        )


@dataclass(slots=True)
class Receiver:
    """Receives for mappings; `sweep` removes expired messages and dead-letters those received too often."""

    queue: Callable[[str], Queue]
    sweep: Callable[[Queue], None]
    collect: Callable[[Queue, int, int], list[Message]]
    lock: AbstractContextManager[object]
    window: Callable[[str], float] = lambda _: 0.0
    """How many seconds the mapping of a queue waits for a whole batch."""
    clock: Callable[[], float] = time.time
    _opened: dict[str, float] = field(default_factory=dict)
    """When the window of a queue began: when its first message was seen."""
    _scans: dict[str, _Scan] = field(default_factory=dict)
    _changes: int = 0

    def receive(self, queue_url: str, max_number: int) -> list[Message]:
        with self.lock:
            queue = self.queue(queue_url)
            if not self._may_be_due(queue_url, queue["messages"]):
                return []
            most = min(max(int(max_number or 1), 1), MOST_MESSAGES)
            if not self._window_is_over(queue_url, queue["messages"], most):
                return []
            visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
            self.sweep(queue)
            batch = self.collect(queue, most, visibility)
            self._remember(queue_url, queue["messages"])
            return batch

    def _window_is_over(self, url: str, messages: list[Message], most: int) -> bool:
        window = self.window(url)
        if not window:
            return True
        now = self.clock()
        due = sum(1 for message in messages if message.get("visible_at", 0.0) <= now)
        if not due:
            return True
        if due < most and now < self._opened.setdefault(url, now) + window:
            return False
        self._opened.pop(url, None)
        return True

    def visibility_changed(self) -> None:
        """Forget when messages are due: one may have become visible sooner."""
        self._changes += 1

    def _may_be_due(self, url: str, messages: list[Message]) -> bool:
        scan = self._scans.get(url)
        if scan is None or not scan.still_holds(messages, self._changes):
            return True
        length = len(messages)
        scan.earliest = min(scan.earliest, _earliest(messages[scan.length : length]))
        scan.length, scan.last = length, messages[length - 1] if length else None
        return scan.earliest <= self.clock()

    def _remember(self, url: str, messages: list[Message]) -> None:
        changes, length = self._changes, len(messages)
        known = messages[:length]
        self._scans[url] = _Scan(messages, length, known[-1] if known else None, _earliest(known), changes)


def _earliest(messages: Sequence[Message]) -> float:
    return min((message.get("visible_at", 0.0) for message in messages), default=float("inf"))
