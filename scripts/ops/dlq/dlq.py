"""What operators do with dead letters: look at them, send them round again, or throw them away.

A letter is sent before it is deleted, so that a crash in between can only double it, which the pipeline
tolerates; and running the same command again goes on where it stopped. What is looked at is hidden from all
others meanwhile: it is given back at the end, also of a run that is interrupted. A run that is killed leaves
what it had received hidden for half a minute (with a rate, for as long more as ten letters take at it), after
which SQS shows it again by itself; nothing else of it remains.
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
"""Characters of a body in one audit line; CloudWatch takes 256 KB, and JSON may need six bytes for one."""


@dataclass(slots=True)
class Handled:
    """What was done, and what could not be."""

    done: list[DeadLetter] = field(default_factory=list)
    failed: list[DeadLetter] = field(default_factory=list)
    """Nothing happened to these; they are still where they were."""
    doubled: list[DeadLetter] = field(default_factory=list)
    """Sent, but still in the dead-letter queue as well."""

    def counts(self) -> dict[str, int]:
        return {"done": len(self.done), "failed": len(self.failed), "doubled": len(self.doubled)}


def peek(queues: Iterable[DeadLetterQueue], meant: Filter, limit: int | None = None) -> list[DeadLetter]:
    """Look at what is meant, oldest first, and leave everything where it is."""
    found: list[DeadLetter] = []
    for queue in queues:
        held: list[DeadLetter] = []
        try:
            for letters in queue.take():
                held += letters
                found += [dead_letter for dead_letter in letters if meant.means(dead_letter)]
                if limit is not None and len(found) >= limit:
                    break
        finally:
            queue.put_back(held)
    return sorted(found, key=lambda dead_letter: dead_letter.sent_at)[:limit]


def redrive(
    ops: OpsContext,
    queue: DeadLetterQueue,
    meant: Filter,
    *,
    rate: float | None,
    seen: Callable[[int], object],
) -> Handled:
    """Send what is meant to the function's queue again, at most `rate` a second."""
    result = Handled()
    sent: set[bytes] = set()

    def fresh(dead_letter: DeadLetter) -> bool:
        # What is still unreadable comes back at once, as a new message: once a run is enough.
        return meant.means(dead_letter) and _digest(dead_letter) not in sent

    # A batch is ten letters; the last of them must still be held when its turn comes.
    held_seconds = HELD_SECONDS + (math.ceil(10 / rate) if rate else 0)
    with _audited(ops.operations_log, "dlq redrive", queue, {"rate": rate, **meant.parameters()}, result):
        for letters in _held(queue, fresh, held_seconds):
            for part in _paced(letters, rate, ops.clock):
                sent |= {_digest(dead_letter) for dead_letter in part}
                refused = {dead_letter.message_id for dead_letter in queue.resend(part)}
                taken = [dead_letter for dead_letter in part if dead_letter.message_id not in refused]
                left = [dead_letter for dead_letter in part if dead_letter.message_id in refused]
                result.done += taken
                result.failed += left
                result.doubled += queue.delete(taken)
                queue.put_back(left)
                seen(len(result.done))
    return result


def drop(ops: OpsContext, queue: DeadLetterQueue, meant: Filter, *, seen: Callable[[int], object]) -> Handled:
    """Delete what is meant, once the audit log has it word for word."""
    result = Handled()
    with _audited(ops.operations_log, "dlq drop", queue, meant.parameters(), result):
        for letters in _held(queue, meant.means):
            for dead_letter in letters:
                _keep_words(dead_letter, ops.operations_log)
            stuck = queue.delete(letters)
            result.failed += stuck
            result.done += [dead_letter for dead_letter in letters if dead_letter not in stuck]
            seen(len(result.done))
    return result


@contextmanager
def _audited(
    log: OperationsLog, action: str, queue: DeadLetterQueue, parameters: Mapping[str, Any], result: Handled
) -> Iterator[None]:
    """Write down what was done, also when it was broken off."""
    try:
        yield
    finally:
        if result.done or result.failed:
            # One line holds 256 KB; a thousand ids are enough to find the others by.
            ids = [dead_letter.message_id for dead_letter in result.done[:1_000]]
            log.record(
                action, {"function": queue.function, **parameters}, {**result.counts(), "messageIds": ids}
            )


def _held(
    queue: DeadLetterQueue, means: Callable[[DeadLetter], bool], held_seconds: int = HELD_SECONDS
) -> Iterator[list[DeadLetter]]:
    """Go through a queue batch by batch, and give back at the end what was not meant."""
    others: list[DeadLetter] = []
    in_hand: list[DeadLetter] = []
    try:
        for letters in queue.take(held_seconds):
            in_hand = [dead_letter for dead_letter in letters if means(dead_letter)]
            others += [dead_letter for dead_letter in letters if dead_letter not in in_hand]
            if in_hand:
                yield in_hand
            in_hand = []
    finally:
        # In hand still: the work was broken off. What had been deleted by then is not there to be put back.
        queue.put_back([*others, *in_hand])


def _digest(dead_letter: DeadLetter) -> bytes:
    return sha256(dead_letter.body.encode()).digest()


def _paced(letters: Sequence[DeadLetter], rate: float | None, clock: Clock) -> Iterator[Sequence[DeadLetter]]:
    if rate is None:
        yield letters
        return
    size = max(1, min(len(letters), int(rate)))
    for start in range(0, len(letters), size):
        part = letters[start : start + size]
        yield part
        clock.sleep(len(part) / rate)


def _keep_words(dead_letter: DeadLetter, log: OperationsLog) -> None:
    parts = range(0, max(1, len(dead_letter.body)), _BODY_PART)
    for number, start in enumerate(parts, start=1):
        log.record(
            "dlq drop message",
            {
                "function": dead_letter.function,
                "messageId": dead_letter.message_id,
                "reason": dead_letter.reason,
            },
            {"part": number, "parts": len(parts), "body": dead_letter.body[start : start + _BODY_PART]},
        )
