"""When things go wrong: calm and spells of faults take turns, by seeded chance."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from threading import Lock

from tests.chaos.faults import Fault, can_happen


@dataclass(frozen=True, slots=True)
class Spell:
    name: str
    chances: Mapping[Fault, float]


CALM = Spell("calm", {Fault.LATE: 0.02})
SPELLS = (
    Spell("throttling", {Fault.THROTTLED: 0.35, Fault.CONFLICT: 0.1, Fault.PARTIAL: 0.15}),
    Spell("contention", {Fault.CONFLICT: 0.5}),
    Spell("lost answers", {Fault.CUT_AFTER: 0.3}),
    Spell("lost requests", {Fault.CUT_BEFORE: 0.3}),
    Spell("half measures", {Fault.PARTIAL: 0.6}),
    Spell("unwell", {Fault.UNWELL: 0.35, Fault.LATE: 0.2}),
    Spell(
        "storm",
        {
            Fault.THROTTLED: 0.12,
            Fault.CONFLICT: 0.1,
            Fault.PARTIAL: 0.1,
            Fault.UNWELL: 0.08,
            Fault.CUT_BEFORE: 0.08,
            Fault.CUT_AFTER: 0.12,
            Fault.LATE: 0.1,
        },
    ),
)
_CALM_SECONDS = (0.3, 1.5)


class FaultSchedule:
    """No fault before begin() nor after clear()."""

    def __init__(
        self,
        seed: int,
        *,
        spell_seconds: tuple[float, float] = (1.0, 4.0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts: Counter[tuple[str, Fault]] = Counter()
        self.spells: Counter[str] = Counter()
        self.dice = Random(seed)
        self._spell_seconds = spell_seconds
        self._clock = clock
        self._lock = Lock()
        self._stormy = False
        self._spell = CALM
        self._until = 0.0

    def begin(self) -> None:
        self._stormy = True

    def clear(self) -> None:
        self._stormy = False

    def strike(self, operation: str) -> Fault | None:
        """Decide, and count, what happens to one request."""
        with self._lock:
            if not self._stormy:
                return None
            self._turn()
            chance = self.dice.random()
            for fault, share in self._spell.chances.items():
                if not can_happen(fault, operation):
                    continue
                chance -= share
                if chance < 0:
                    self.counts[operation.partition(".")[2], fault] += 1
                    return fault
            return None

    def _turn(self) -> None:
        now = self._clock()
        if now < self._until:
            return
        if self._spell is not CALM:
            self._spell = CALM
            self._until = now + self.dice.uniform(*_CALM_SECONDS)
            return
        self._spell = self.dice.choice(SPELLS)
        self._until = now + self.dice.uniform(*self._spell_seconds)
        self.spells[self._spell.name] += 1
