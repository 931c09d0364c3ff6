"""The run's own dead letters: the malformed order has to be there, with its reason, and nothing else may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.verify.checks import BrokenLinkError, told

if TYPE_CHECKING:
    from scripts.ops.context import OpsContext
    from scripts.ops.dlq.messages import DeadLetter, DeadLetterQueue
    from scripts.verify.checks import Patience
    from scripts.verify.scenarios import Scenarios

_INVALID: Final = "invalid_event"
_WAITED_FOR_SECONDS: Final = 15.0
"""A letter that comes after the verification has gone would raise an alarm."""


def readers_of_placed_orders(ops: OpsContext) -> list[str]:
    return [name for name, spec in ops.topology.consumers.items() if "OrderPlaced" in spec.subscriptions]


class Letters:
    def __init__(self, ops: OpsContext, scenarios: Scenarios, patience: Patience) -> None:
        self._ops = ops
        self._scenarios = scenarios
        self._patience = patience
        self._taken: list[DeadLetter] = []

    def as_they_should(self) -> str:
        """Wait for what nobody could read, take it out, and find nothing else of ours."""
        self._patience.until(lambda: None if self._take() or self._missing() else True, self._why_not)
        if others := [dead_letter for dead_letter in self._taken if not self._is_expected(dead_letter)]:
            raise BrokenLinkError("; ".join(_spelled(dead_letter) for dead_letter in others))
        where = ", ".join(dead_letter.function for dead_letter in self._taken)
        return f"{_INVALID} in those of {where}; nothing else"

    def take_out(self) -> None:
        """Take what is there of this run out of every queue; what is sure to come is waited for a while."""
        patience = replace(self._patience, seconds=min(self._patience.seconds, _WAITED_FOR_SECONDS))
        with suppress(BrokenLinkError):
            patience.until(lambda: None if self._take() or self._missing() else True, self._why_not)

    def _take(self) -> int:
        """Take out what is ours, leave the letters of all others, and say how many were ours."""
        consumers = list(self._ops.topology.consumers)
        queues = [self._ops.dlq(function) for function in consumers]
        # Side by side: that a queue is empty is known only after a second.
        with ThreadPoolExecutor(max_workers=len(queues)) as pool:
            found = [dead_letter for letters in pool.map(self._ours, queues) for dead_letter in letters]
        self._taken += found
        return len(found)

    def _ours(self, queue: DeadLetterQueue) -> list[DeadLetter]:
        found: list[DeadLetter] = []
        others: list[DeadLetter] = []
        try:
            for letters in queue.take():
                ours = [it for it in letters if self._scenarios.run in it.body]
                others += [it for it in letters if it not in ours]
                queue.delete(ours)
                found += ours
        finally:
            queue.put_back(others)
        return found

    def _missing(self) -> list[str]:
        there = {(it.function, it.order_id) for it in self._taken}
        return sorted({function for function, _ in self._expected() - there})

    def _expected(self) -> set[tuple[str, str | None]]:
        readers = readers_of_placed_orders(self._ops)
        return {(function, it.order_id) for function in readers for it in self._scenarios.malformed}

    def _is_expected(self, dead_letter: DeadLetter) -> bool:
        return (
            dead_letter.function,
            dead_letter.order_id,
        ) in self._expected() and dead_letter.reason == _INVALID

    def _why_not(self) -> str:
        return f"what nobody can read did not come to the dead-letter queue of {told(self._missing())}"


def _spelled(dead_letter: DeadLetter) -> str:
    it = dead_letter
    return f"{it.function}: unexpected {it.event} of {it.order_id}, because {it.why}"
