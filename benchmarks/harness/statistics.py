"""Figures that mean something on a noisy machine: variants in turns, ratios in pairs, medians with a spread.

Pure, but for running what it is given.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Self

Series = Sequence[float]


class Scale(Enum):
    """How much is worth measuring: a look at whether it works, or figures to keep."""

    QUICK = "quick"
    FULL = "full"

    def pick(self, quick: int, full: int) -> int:
        return quick if self is Scale.QUICK else full


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, measured in one repetition of one variant."""

    variant: str
    repetition: int
    value: float


@dataclass(frozen=True, slots=True)
class Spread:
    """What a series says: the middle, and how far from it the machine's moods have carried it."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, series: Series) -> Self:
        if not series:
            raise ValueError("nothing was measured")
        return cls(median(series), min(series), max(series), len(series))

    def scaled(self, factor: float) -> "Spread":
        low, high = sorted((self.low * factor, self.high * factor))
        return Spread(self.median * factor, low, high, self.count)

    def told(self, digits: int = 3) -> str:
        """Write `5.2 (4.9 to 5.6)`; one number alone has no spread."""
        if self.count == 1 or self.low == self.high:
            return number(self.median, digits)
        return f"{number(self.median, digits)} ({number(self.low, digits)} to {number(self.high, digits)})"


def alternate(
    variants: Mapping[str, Callable[[], float]], repetitions: int, *, warm_ups: int = 1
) -> dict[str, list[float]]:
    """Measure every variant once in each repetition; what `warm_ups` rounds yield before that is thrown away.

    Every other repetition goes through them backwards, so that none is always the one behind the other.
    """
    for _ in range(warm_ups):
        for measure in variants.values():
            measure()
    samples = [
        Sample(name, repetition, variants[name]())
        for repetition in range(repetitions)
        for name in list(variants)[:: -1 if repetition % 2 else 1]
    ]
    return {name: [it.value for it in samples if it.variant == name] for name in variants}


def ratio(ours: Series, theirs: Series) -> Spread:
    """Divide within each repetition, so that a slow moment of the machine slows both sides of it."""
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


def quantile(series: Series, share: float) -> float:
    """Return the smallest value that is not below this share of the series."""
    if not series:
        raise ValueError("nothing was measured")
    ordered = sorted(series)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many digits that count, and thousands apart."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    written = f"{value:,.{decimals}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
