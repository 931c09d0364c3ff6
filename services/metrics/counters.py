"""The ledger that turns CloudWatch's sums per minute into counters that only grow. Pure.

Minutes and hours count from the epoch. A minute is open until the watermark passes it; then it is folded into
its hour. Hours stay for a day, since data may arrive late; then they are folded into the base. Whatever
CloudWatch returns for an open minute or a kept hour can only complete it, never lower it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

Minute = int
Hour = int
Readings = Mapping[str, Mapping[Minute, int]]
"""What was read of each series, by its key: whole units by minute."""

LATE_MINUTES = 24 * 60
"""How late data may arrive and still be counted."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Final hours as one sum, the closed minutes of each kept hour as one, and every open minute."""

    base: int = 0
    open: Mapping[Minute, int] = field(default_factory=dict)
    hours: Mapping[Hour, int] = field(default_factory=dict)
    since: Minute = 0
    """Earlier minutes are not counted."""

    @property
    def total(self) -> int:
        return self.base + sum(self.hours.values()) + sum(self.open.values())

    def merged(self, seen: Mapping[Minute, int], *, watermark: Minute) -> Self:
        """Take the larger of what is known and what was seen: re-reading completes, and never doubles."""
        fresh = {
            minute: value
            for minute, value in seen.items()
            if minute >= watermark and value > self.open.get(minute, 0)
        }
        return replace(self, open={**self.open, **fresh}) if fresh else self

    def amended(self, seen: Mapping[Hour, int], hours: range) -> Self:
        """Complete closed hours with late data; an hour that began before `since` is left alone."""
        fresh = {
            hour: value
            for hour, value in seen.items()
            if hour in hours and hour * 60 >= self.since and value > self.hours.get(hour, 0)
        }
        return replace(self, hours={**self.hours, **fresh}) if fresh else self

    def closed(self, watermark: Minute) -> Self:
        """Fold minutes before the watermark into their hours, and hours over a day older into the base."""
        hours = dict(self.hours)
        for minute, value in self.open.items():
            if minute < watermark:
                hours[minute // 60] = hours.get(minute // 60, 0) + value
        kept = {hour: value for hour, value in hours.items() if hour in closed_hours(watermark)}
        return replace(
            self,
            base=self.base + sum(hours.values()) - sum(kept.values()),
            open={minute: value for minute, value in self.open.items() if minute >= watermark},
            hours=kept,
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
    pending: frozenset[str] = frozenset()
    """Keys of counters whose last reading was incomplete."""

    def knowing(self, keys: Iterable[str]) -> Self:
        """Start counters that are new to the catalogue: what happened before the watermark is not theirs."""
        new = {key: Counter(since=self.watermark) for key in keys if key not in self.counters}
        return replace(self, counters={**self.counters, **new}) if new else self

    def counting(self, readings: Readings) -> Self:
        """Update the counters with readings by minute."""
        changed = {
            key: self.counter(key).merged(seen, watermark=self.watermark)
            for key, seen in readings.items()
            if seen
        }
        return replace(self, counters={**self.counters, **changed})

    def amending(self, readings: Readings) -> Self:
        """Update the closed hours of counters with readings by hour."""
        changed = {
            key: self.counter(key).amended(
                {minute // 60: value for minute, value in seen.items()}, self.amendable
            )
            for key, seen in readings.items()
        }
        return replace(self, counters={**self.counters, **changed})

    @property
    def amendable(self) -> range:
        """The hours to which late data is still added: closed to the last minute, and not final yet."""
        return range(closed_hours(self.watermark).start, self.watermark // 60)

    def gauging(self, readings: Readings) -> Self:
        """Update the gauges to their newest readings."""
        changed = {
            key: self.gauges[key].merged(seen) if key in self.gauges else Gauge(max(seen), seen[max(seen)])
            for key, seen in readings.items()
            if seen
        }
        return replace(self, gauges={**self.gauges, **changed})

    def closed(self, watermark: Minute) -> Self:
        """Let the watermark advance; it never goes back."""
        if watermark <= self.watermark:
            return self
        counters = {key: counter.closed(watermark) for key, counter in self.counters.items()}
        return replace(self, watermark=watermark, counters=counters)

    def counter(self, key: str) -> Counter:
        return self.counters.get(key, _NOTHING)

    def total(self, key: str) -> int:
        """A counter's value; zero when it was never seen."""
        return self.counter(key).total

    def gaps(self, whole: str, parts: Iterable[str]) -> frozenset[Minute]:
        """The open minutes in which the parts do not add up to the whole yet."""
        return _differences(self.counter(whole).open, (self.counter(part).open for part in parts))

    def hour_gaps(self, whole: str, parts: Iterable[str]) -> frozenset[Hour]:
        """The closed hours in which the parts do not add up to the whole."""
        gaps = _differences(self.counter(whole).hours, (self.counter(part).hours for part in parts))
        return frozenset(hour for hour in gaps if hour in self.amendable)


def closed_hours(watermark: Minute) -> range:
    """Return the hours that are kept by themselves, the one that is being closed included."""
    return range((watermark - LATE_MINUTES) // 60, -(-watermark // 60))


def _differences(expected: Mapping[int, int], parts: Iterable[Mapping[int, int]]) -> frozenset[int]:
    found: dict[int, int] = {}
    for part in parts:
        for at, value in part.items():
            found[at] = found.get(at, 0) + value
    return frozenset(at for at in expected.keys() | found.keys() if expected.get(at, 0) != found.get(at, 0))


_NOTHING = Counter()
