"""When people buy: more each year, before holidays more than after, at noon more than at night. Pure."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

_OF_A_YEAR: Final = (0.86, 0.84, 0.93, 0.95, 0.98, 0.96, 0.90, 0.91, 0.99, 1.04, 1.30, 1.34)
_OF_A_WEEK: Final = (1.02, 0.97, 0.96, 1.00, 1.10, 1.04, 0.91)
_OF_A_DAY: Final = (1, 1, 1, 1, 1, 1, 2, 3, 5, 6, 7, 8, 9, 8, 7, 7, 7, 8, 9, 10, 10, 8, 5, 3)
_GROWTH_A_YEAR: Final = 0.35
_HOUR: Final = timedelta(hours=1)


def months_before(until: datetime, months: int) -> datetime:
    """Return the beginning of the month that so many months, the running one included, begin with."""
    # At the very start of a month the one before it is still the last in which anything happened.
    last = until.astimezone(UTC) - timedelta(microseconds=1)
    year, month = divmod(last.year * 12 + last.month - months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


class Seasons:
    """How what happens between two moments is spread over the time between them."""

    def __init__(self, begins: datetime, until: datetime) -> None:
        self._begins = begins
        self._until = until
        self._up_to = [0.0]
        for weight in self._weights():
            self._up_to.append(self._up_to[-1] + weight)

    def at(self, share: float) -> datetime:
        """Return when this share of everything has happened, to the millisecond."""
        wanted = share * self._up_to[-1]
        hour = min(bisect_right(self._up_to, wanted), len(self._up_to) - 1) - 1
        before, after = self._up_to[hour], self._up_to[hour + 1]
        start = self._begins + hour * _HOUR
        length = min(_HOUR, self._until - start)
        into = int((wanted - before) / (after - before) * length.total_seconds() * 1_000)
        return start + timedelta(milliseconds=into)

    def _weights(self) -> Iterator[float]:
        """Weigh every hour, the last of which may not be a whole one."""
        hour, hours_a_year = self._begins, 365 * 24
        passed = 0
        while hour < self._until:
            growth = 1 + _GROWTH_A_YEAR * passed / hours_a_year
            whole = min(_HOUR, self._until - hour) / _HOUR
            yield (
                growth
                * whole
                * _OF_A_YEAR[hour.month - 1]
                * _OF_A_WEEK[hour.weekday()]
                * _OF_A_DAY[hour.hour]
            )
            hour += _HOUR
            passed += 1
