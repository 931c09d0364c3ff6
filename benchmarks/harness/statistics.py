"""Statistics of a benchmark: variants in turns, ratios in pairs, medians with their range or interval.

Medians and quartiles come from the standard library. The interval of a quantile is read from the ordered
series by the binomial distribution: it assumes nothing about how times are distributed and needs no package.
pyperf does not fit: it times one function in processes of its own; these variants alternate in one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median, quantiles
from typing import Self

Series = Sequence[float]
CONFIDENCE = 0.95


class Scale(Enum):
    """A quick run shows that a benchmark works; only a full run gives figures to keep."""

    QUICK = "quick"
    FULL = "full"

    def pick(self, quick: int, full: int) -> int:
        return quick if self is Scale.QUICK else full


@dataclass(frozen=True, slots=True)
class Spread:
    """A middle value between two ends: the whole range of a series, or the interval of a quantile."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, series: Series) -> Self:
        """Return the median, from the lowest to the highest."""
        _require(series)
        return cls(median(series), min(series), max(series), len(series))

    @classmethod
    def interval(cls, series: Series, share: float = 0.5) -> Self:
        """Return a quantile and the interval that holds it with 95 % confidence, or all that was measured."""
        _require(series)
        ordered, count = sorted(series), len(series)
        tail = (1 - CONFIDENCE) / 2
        below = [_binomial_cdf(hits, count, share) for hits in range(count)]
        low = sum(probability <= tail for probability in below)
        high = sum(probability < 1 - tail for probability in below)
        middle = median(series) if share == 0.5 else quantile(series, share)
        return cls(middle, ordered[max(0, low - 1)], ordered[min(high, count - 1)], count)

    def scaled(self, factor: float) -> "Spread":
        low, high = sorted((self.low * factor, self.high * factor))
        return Spread(self.median * factor, low, high, self.count)

    def text(self, digits: int = 3) -> str:
        """Write `5.2 (4.9 to 5.6)`; one number alone has no spread."""
        if self.count == 1 or self.low == self.high:
            return number(self.median, digits)
        return f"{number(self.median, digits)} ({number(self.low, digits)} to {number(self.high, digits)})"


def quartiles(series: Series) -> tuple[float, float]:
    if len(series) == 1:
        return series[0], series[0]
    first, _, third = quantiles(series, n=4, method="inclusive")
    return first, third


def alternate(
    variants: Mapping[str, Callable[[], float]], repetitions: int, *, warm_ups: int = 1
) -> dict[str, list[float]]:
    """Measure every variant once in each repetition, after `warm_ups` rounds whose figures are dropped.

    Every other repetition runs them in reverse order, so that none always follows the same one.
    """
    for _ in range(warm_ups):
        for measure in variants.values():
            measure()
    series: dict[str, list[float]] = {name: [] for name in variants}
    for repetition in range(repetitions):
        for name in list(variants)[:: -1 if repetition % 2 else 1]:
            series[name].append(variants[name]())
    return series


def ratios(ours: Series, theirs: Series) -> list[float]:
    """Divide within each repetition, so that a slow moment of the machine slows both sides."""
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def ratio(ours: Series, theirs: Series) -> Spread:
    return Spread.of(ratios(ours, theirs))


def quantile(series: Series, share: float) -> float:
    """Return the smallest value that is not below this share of the series."""
    _require(series)
    ordered = sorted(series)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, and a comma between thousands."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    written = f"{value:,.{decimals}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _require(series: Series) -> None:
    if not series:
        raise ValueError("nothing was measured")


def _binomial_cdf(most: int, count: int, share: float) -> float:
    return math.fsum(
        math.exp(
            math.lgamma(count + 1)
            - math.lgamma(hits + 1)
            - math.lgamma(count - hits + 1)
            + hits * math.log(share)
            + (count - hits) * math.log(1 - share)
        )
        for hits in range(most + 1)
    )
