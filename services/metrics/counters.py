"""The ledger that turns CloudWatch's sums per minute into counters that only grow. Pure.

Minutes count from the epoch. A minute is open until the watermark passes it: until then whatever CloudWatch
returns for it can only complete it; afterwards nothing can change it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

Minute = int
Readings = Mapping[str, Mapping[Minute, int]]
"""What was read of each series, by its key: whole units by minute."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The sum over all closed minutes, and each open one by itself."""

    base: int = 0
    open: Mapping[Minute, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.base + sum(self.open.values())

    def merged(self, seen: Mapping[Minute, int], *, watermark: Minute) -> Self:
        """Take the larger of what is known and what was seen: re-reading completes, and never doubles."""
        fresh = {
            minute: value
            for minute, value in seen.items()
            if minute >= watermark and value > self.open.get(minute, 0)
        }
        return type(self)(self.base, {**self.open, **fresh}) if fresh else self

    def closed(self, watermark: Minute) -> Self:
        """Fold the minutes before the watermark into the base."""
        past = [minute for minute in self.open if minute < watermark]
        if not past:
            return self
        return type(self)(
            self.base + sum(self.open[minute] for minute in past),
            {minute: value for minute, value in self.open.items() if minute >= watermark},
        )


@dataclass(frozen=True, slots=True)
class Gauge:
    """The newest value, and the minute it was reported for."""

    at: Minute
    value: int

    def merged(self, seen: Mapping[Minute, int]) -> Self:
        newest = max(seen, default=self.at)
        return type(self)(newest, seen[newest]) if newest in seen and newest >= self.at else self


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every known series. A series is never removed."""

    watermark: Minute
    counters: Mapping[str, Counter] = field(default_factory=dict)
    gauges: Mapping[str, Gauge] = field(default_factory=dict)

    def counting(self, readings: Readings) -> Self:
        """Update the counters with readings."""
        changed = {
            key: self.counter(key).merged(seen, watermark=self.watermark)
            for key, seen in readings.items()
            if seen
        }
        return type(self)(self.watermark, {**self.counters, **changed}, self.gauges)

    def gauging(self, readings: Readings) -> Self:
        """Update the gauges to their newest readings."""
        changed = {
            key: self.gauges[key].merged(seen) if key in self.gauges else Gauge(max(seen), seen[max(seen)])
            for key, seen in readings.items()
            if seen
        }
        return type(self)(self.watermark, self.counters, {**self.gauges, **changed})

    def closed(self, watermark: Minute) -> Self:
        """Let the watermark advance; it never goes back."""
        if watermark <= self.watermark:
            return self
        counters = {key: counter.closed(watermark) for key, counter in self.counters.items()}
        return type(self)(watermark, counters, self.gauges)

    def counter(self, key: str) -> Counter:
        return self.counters.get(key, _NOTHING)

    def total(self, key: str) -> int:
        """A counter's value; zero when it was never seen."""
        return self.counter(key).total

    def gaps(self, whole: str, parts: Iterable[str]) -> frozenset[Minute]:
        """The open minutes in which the parts do not add up to the whole yet."""
        expected = self.counter(whole).open
        found: dict[Minute, int] = {}
        for part in parts:
            for minute, value in self.counter(part).open.items():
                found[minute] = found.get(minute, 0) + value
        return frozenset(
            minute
            for minute in expected.keys() | found.keys()
            if expected.get(minute, 0) != found.get(minute, 0)
        )


_NOTHING = Counter()
