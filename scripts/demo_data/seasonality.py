"""When people buy: growth over the years, and seasons of the year, week and day. Pure."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

_MONTH_WEIGHTS: Final = (0.86, 0.84, 0.93, 0.95, 0.98, 0.96, 0.90, 0.91, 0.99, 1.04, 1.30, 1.34)
_WEEKDAY_WEIGHTS: Final = (1.02, 0.97, 0.96, 1.00, 1.10, 1.04, 0.91)
_HOUR_WEIGHTS: Final = (1, 1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 8, 7, 7, 7, 8, 9, 10, 10, 8, 5, 3)
_GROWTH_PER_YEAR: Final = 0.35
_HOUR: Final = timedelta(hours=1)


def months_before(until: datetime, months: int) -> datetime:
    """Return the start of the first of the last `months` months, the current one included."""
    # At the very start of a month, the month before is the last with any events.
    last = until.astimezone(UTC) - timedelta(microseconds=1)
    year, month = divmod(last.year * 12 + last.month - months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


class Seasonality:
    """The distribution of events between two moments."""

    def __init__(self, start_at: datetime, until: datetime) -> None:
        self._start = start_at
        self._until = until
        self._cumulative = [0.0]
        for weight in self._weights():
            self._cumulative.append(self._cumulative[-1] + weight)

    def at(self, share: float) -> datetime:
        """Return when this share of all events has happened, to the millisecond."""
        target = share * self._cumulative[-1]
        hour = min(bisect_right(self._cumulative, target), len(self._cumulative) - 1) - 1
        before, after = self._cumulative[hour], self._cumulative[hour + 1]
        start = self._start + hour * _HOUR
        length = min(_HOUR, self._until - start)
        offset = int((target - before) / (after - before) * length.total_seconds() * 1_000)
        return start + timedelta(milliseconds=offset)

    def _weights(self) -> Iterator[float]:
        """Yield the weight of every hour; the last may be a partial one."""
        hour, hours_a_year = self._start, 365 * 24
        elapsed = 0
        while hour < self._until:
            growth = 1 + _GROWTH_PER_YEAR * elapsed / hours_a_year
            fraction = min(_HOUR, self._until - hour) / _HOUR
            yield (
                growth
                * fraction
                * _MONTH_WEIGHTS[hour.month - 1]
                * _WEEKDAY_WEIGHTS[hour.weekday()]
                * _HOUR_WEIGHTS[hour.hour]
            )
            hour += _HOUR
            elapsed += 1
