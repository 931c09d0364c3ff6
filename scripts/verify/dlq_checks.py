"""The run's own dead letters: the malformed order has to be there, with its reason, and nothing else may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.verify.checks import BrokenLinkError, told

if TYPE_CHECKING:
    from scripts.ops.context import Desk
    from scripts.ops.dlq.messages import DeadLetterQueue, Letter
    from scripts.verify.checks import Patience
    from scripts.verify.scenarios import Scenarios

_INVALID: Final = "invalid_event"
_WAITED_FOR_SECONDS: Final = 15.0
"""A letter that comes after the verification has gone would raise an alarm."""


def readers_of_placed_orders(desk: Desk) -> list[str]:
    return [name for name, spec in desk.topology.consumers.items() if "OrderPlaced" in spec.subscriptions]


class Letters:
    def __init__(self, desk: Desk, scenarios: Scenarios, patience: Patience) -> None:
        self._desk = desk
        self._scenarios = scenarios
        self._patience = patience
        self._taken: list[Letter] = []

    def as_they_should(self) -> str:
        """Wait for what nobody could read, take it out, and find nothing else of ours."""
        self._patience.until(lambda: None if self._take() or self._missing() else True, self._why_not)
        if others := [letter for letter in self._taken if not self._is_expected(letter)]:
            raise BrokenLinkError("; ".join(_spelled(letter) for letter in others))
        where = ", ".join(letter.function for letter in self._taken)
        return f"{_INVALID} in those of {where}; nothing else"

    def take_out(self) -> None:
        """Take what is there of this run out of every queue; what is sure to come is waited for a while."""
        patience = replace(self._patience, seconds=min(self._patience.seconds, _WAITED_FOR_SECONDS))
        with suppress(BrokenLinkError):
            patience.until(lambda: None if self._take() or self._missing() else True, self._why_not)

    def _take(self) -> int:
        """Take out what is ours, leave the letters of all others, and say how many were ours."""
        consumers = list(self._desk.topology.consumers)
        queues = [self._desk.dead_letters(function) for function in consumers]
        # Side by side: that a queue is empty is known only after a second.
        with ThreadPoolExecutor(max_workers=len(queues)) as pool:
            found = [letter for letters in pool.map(self._ours, queues) for letter in letters]
        self._taken += found
        return len(found)

    def _ours(self, queue: DeadLetterQueue) -> list[Letter]:
        found: list[Letter] = []
        others: list[Letter] = []
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
        readers = readers_of_placed_orders(self._desk)
        return {(function, it.order_id) for function in readers for it in self._scenarios.malformed}

    def _is_expected(self, letter: Letter) -> bool:
        return (letter.function, letter.order_id) in self._expected() and letter.reason == _INVALID

    def _why_not(self) -> str:
        return f"what nobody can read did not come to the dead-letter queue of {told(self._missing())}"


def _spelled(letter: Letter) -> str:
    return f"{letter.function}: {letter.event} of {letter.order_id} lay there, because {letter.why}"
