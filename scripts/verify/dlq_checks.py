"""Checks the dead letters of a run: the malformed order must be there, with its reason, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scripts.verify.checks import CheckFailedError, listed

if TYPE_CHECKING:
    from scripts.ops.context import OpsContext
    from scripts.ops.dlq.messages import DeadLetter, DeadLetterQueue
    from scripts.verify.checks import Poller
    from scripts.verify.scenarios import Scenarios

_INVALID: Final = "invalid_event"
_CLEANUP_TIMEOUT: Final = 15.0
"""Seconds to wait for a dead letter that is certain to come: one that stays behind raises an alarm."""


def order_placed_consumers(ops: OpsContext) -> list[str]:
    return [name for name, spec in ops.topology.consumers.items() if "OrderPlaced" in spec.subscriptions]


class DeadLetterChecks:
    def __init__(self, ops: OpsContext, scenarios: Scenarios, poller: Poller) -> None:
        self._ops = ops
        self._scenarios = scenarios
        self._poller = poller
        self._received: list[DeadLetter] = []

    def only_malformed(self) -> str:
        """Wait for the malformed order, remove it, and fail on any other dead letter of this run."""
        self._poller.until(self._all_arrived, self._missing_message)
        if unexpected := [it for it in self._received if not self._is_expected(it)]:
            raise CheckFailedError("; ".join(_describe(it) for it in unexpected))
        functions = ", ".join(it.function for it in self._received)
        return f"{_INVALID} in the dead-letter queues of {functions}; nothing else"

    def remove(self) -> None:
        """Remove every dead letter of this run; wait a while for the ones that are certain to come."""
        poller = replace(self._poller, timeout=min(self._poller.timeout, _CLEANUP_TIMEOUT))
        with suppress(CheckFailedError):
            poller.until(self._all_arrived, self._missing_message)

    def _all_arrived(self) -> bool | None:
        return None if self._receive() or self._missing() else True

    def _receive(self) -> int:
        """Remove the dead letters of this run, put back all others, and return how many were removed."""
        queues = [self._ops.dlq(function) for function in self._ops.topology.consumers]
        # In parallel: only a wait of a second shows that a queue is empty.
        with ThreadPoolExecutor(max_workers=len(queues)) as pool:
            found = [it for own in pool.map(self._receive_own, queues) for it in own]
        self._received += found
        return len(found)

    def _receive_own(self, queue: DeadLetterQueue) -> list[DeadLetter]:
        found: list[DeadLetter] = []
        others: list[DeadLetter] = []
        try:
            for batch in queue.take():
                own = [it for it in batch if self._scenarios.run in it.body]
                others += [it for it in batch if it not in own]
                queue.delete(own)
                found += own
        finally:
            queue.put_back(others)
        return found

    def _missing(self) -> list[str]:
        received = {(it.function, it.order_id) for it in self._received}
        return sorted({function for function, _ in self._expected() - received})

    def _expected(self) -> set[tuple[str, str | None]]:
        consumers = order_placed_consumers(self._ops)
        return {(function, it.order_id) for function in consumers for it in self._scenarios.malformed}

    def _is_expected(self, it: DeadLetter) -> bool:
        return (it.function, it.order_id) in self._expected() and it.reason == _INVALID

    def _missing_message(self) -> str:
        return f"the malformed order did not reach the dead-letter queue of {listed(self._missing())}"


def _describe(it: DeadLetter) -> str:
    return f"{it.function}: unexpected {it.event} of {it.order_id}, reason {it.why}"
