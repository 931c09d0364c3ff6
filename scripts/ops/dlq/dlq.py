"""What operators do with dead letters: list, redrive or drop them.

A message is sent before it is deleted, so a crash in between can only duplicate it, which the pipeline
tolerates; running the same command again continues where it stopped. Received messages are hidden from others
and put back at the end, also of an interrupted run. Those of a killed run become visible again by themselves
after half a minute (with a rate, plus the time that ten messages take at that rate).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from scripts.common.clock import Clock
from scripts.ops.context import OpsContext
from scripts.ops.dlq.messages import HELD_SECONDS, DeadLetter, DeadLetterQueue, Filter
from scripts.ops.operations_log import OperationsLog

_BODY_PART = 40_000
"""Characters of a body per log line: CloudWatch takes 256 KB, and JSON may need six bytes for a character."""


@dataclass(slots=True)
class DlqResult:
    done: list[DeadLetter] = field(default_factory=list)
    failed: list[DeadLetter] = field(default_factory=list)
    """Unchanged; still in the dead-letter queue."""
    duplicated: list[DeadLetter] = field(default_factory=list)
    """Sent, but still in the dead-letter queue as well."""

    def counts(self) -> dict[str, int]:
        return {"done": len(self.done), "failed": len(self.failed), "duplicated": len(self.duplicated)}

    def add(self, other: "DlqResult") -> None:
        self.done += other.done
        self.failed += other.failed
        self.duplicated += other.duplicated


def peek(queues: Iterable[DeadLetterQueue], selected: Filter, limit: int | None = None) -> list[DeadLetter]:
    """List the selected messages, oldest first, and leave all in their queues."""
    found: list[DeadLetter] = []
    for queue in queues:
        held: list[DeadLetter] = []
        try:
            for batch in queue.take():
                held += batch
                found += [message for message in batch if selected.matches(message)]
                if limit is not None and len(found) >= limit:
                    break
        finally:
            queue.put_back(held)
    return sorted(found, key=lambda message: message.sent_at)[:limit]


def redrive(
    ops: OpsContext,
    queue: DeadLetterQueue,
    selected: Filter,
    *,
    rate: float | None,
    on_progress: Callable[[int], object],
) -> DlqResult:
    """Send the selected messages to the function's queue, at most `rate` a second."""
    result = DlqResult()
    sent: set[bytes] = set()

    def is_new(message: DeadLetter) -> bool:
        # A message that is still invalid returns at once as a new message; each is sent once per run.
        return selected.matches(message) and _digest(message) not in sent

    # A batch is ten messages; the last must still be hidden when its turn comes.
    held_seconds = HELD_SECONDS + (math.ceil(10 / rate) if rate else 0)
    with _recorded(ops.operations_log, "dlq redrive", queue, {"rate": rate, **selected.parameters()}, result):
        for batch in _held(queue, is_new, held_seconds):
            for part in _paced(batch, rate, ops.clock):
                sent |= {_digest(message) for message in part}
                refused = {message.message_id for message in queue.resend(part)}
                accepted = [message for message in part if message.message_id not in refused]
                rejected = [message for message in part if message.message_id in refused]
                result.done += accepted
                result.failed += rejected
                result.duplicated += queue.delete(accepted)
                queue.put_back(rejected)
                on_progress(len(result.done))
    return result


def drop(
    ops: OpsContext, queue: DeadLetterQueue, selected: Filter, *, on_progress: Callable[[int], object]
) -> DlqResult:
    """Delete the selected messages after writing their bodies to the operations log."""
    result = DlqResult()
    with _recorded(ops.operations_log, "dlq drop", queue, selected.parameters(), result):
        for batch in _held(queue, selected.matches):
            for message in batch:
                _record_body(message, ops.operations_log)
            failed = queue.delete(batch)
            result.failed += failed
            result.done += [message for message in batch if message not in failed]
            on_progress(len(result.done))
    return result


@contextmanager
def _recorded(
    log: OperationsLog, action: str, queue: DeadLetterQueue, parameters: Mapping[str, Any], result: DlqResult
) -> Iterator[None]:
    """Record the result in the operations log, even if the run is interrupted."""
    try:
        yield
    finally:
        if result.done or result.failed:
            # A line holds 256 KB; a thousand ids are enough to identify a run.
            ids = [message.message_id for message in result.done[:1_000]]
            log.record(
                action, {"function": queue.function, **parameters}, {**result.counts(), "messageIds": ids}
            )


def _held(
    queue: DeadLetterQueue, selects: Callable[[DeadLetter], bool], held_seconds: int = HELD_SECONDS
) -> Iterator[list[DeadLetter]]:
    """Yield the selected messages of each batch, and put the others back at the end."""
    others: list[DeadLetter] = []
    current: list[DeadLetter] = []
    try:
        for batch in queue.take(held_seconds):
            current = [message for message in batch if selects(message)]
            others += [message for message in batch if message not in current]
            if current:
                yield current
            current = []
    finally:
        # `current` is not empty after an interruption; putting back a deleted message has no effect.
        queue.put_back([*others, *current])


def _digest(message: DeadLetter) -> bytes:
    return sha256(message.body.encode()).digest()


def _paced(batch: Sequence[DeadLetter], rate: float | None, clock: Clock) -> Iterator[Sequence[DeadLetter]]:
    if rate is None:
        yield batch
        return
    size = max(1, min(len(batch), int(rate)))
    for start in range(0, len(batch), size):
        part = batch[start : start + size]
        yield part
        clock.sleep(len(part) / rate)


def _record_body(message: DeadLetter, log: OperationsLog) -> None:
    parts = range(0, max(1, len(message.body)), _BODY_PART)
    for number, start in enumerate(parts, start=1):
        log.record(
            "dlq drop message",
            {"function": message.function, "messageId": message.message_id, "reason": message.reason},
            {"part": number, "parts": len(parts), "body": message.body[start : start + _BODY_PART]},
        )
