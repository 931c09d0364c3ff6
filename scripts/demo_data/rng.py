"""Chance that comes out the same each time, apart for each thing it decides on."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_DAY_MILLISECONDS: Final = 86_400_000


def chance(seed: int, *concern: object) -> Random:
    """Return the chance of one concern: however much another draws, this one stays as it is."""
    return Random(f"{seed} {' '.join(map(str, concern))}")  # noqa: S311 -- made up, and guards no secret


def up_to_days(draw: Random, days: float) -> int:
    """Draw a stretch of milliseconds, the finest that times on the wire tell."""
    return int(draw.random() * days * _DAY_MILLISECONDS)


class Weighted(Generic[T]):
    """Values, each as likely as its weight says."""

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        self._values = values
        self._up_to = list(accumulate(weights))

    def pick(self, draw: Random) -> T:
        return self._values[
            bisect_right(self._up_to, draw.random() * self._up_to[-1], hi=len(self._values) - 1)
        ]
