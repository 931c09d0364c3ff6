"""Reproducible random numbers: an independent generator for each purpose."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_DAY_MILLISECONDS: Final = 86_400_000


def seeded_random(seed: int, *purpose: object) -> Random:
    """Return the generator of one purpose; draws for another purpose leave it unchanged."""
    return Random(f"{seed} {' '.join(map(str, purpose))}")  # noqa: S311 -- demo data, not a secret


def up_to_days(random: Random, days: float) -> int:
    """Draw a duration in milliseconds, the precision of times on the wire."""
    return int(random.random() * days * _DAY_MILLISECONDS)


class Weighted(Generic[T]):
    """Values with weights."""

    def __init__(self, values: Sequence[T], weights: Sequence[float]) -> None:
        self._values = values
        self._cumulative = list(accumulate(weights))

    def pick(self, random: Random) -> T:
        return self._values[
            bisect_right(self._cumulative, random.random() * self._cumulative[-1], hi=len(self._values) - 1)
        ]
