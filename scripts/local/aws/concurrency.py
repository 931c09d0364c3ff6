"""How many copies of a function ran side by side, worked out from when each began and ended. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Span:
    """When an invocation ran: from `start_ms` until just before `end_ms`."""

    start_ms: int
    end_ms: int

    @classmethod
    def ended(cls, at_ms: int, duration_ms: float) -> "Span":
        """Make the span of what ended at this moment; the shortest still takes a millisecond."""
        return cls(at_ms - max(1, round(duration_ms)), at_ms)


def peaks(spans: Iterable[Span]) -> dict[int, int]:
    """Return the most that ran at once in each minute in which anything ran."""
    most: dict[int, int] = {}
    running = 0
    for at, change in sorted(_edges(spans)):
        running += change
        minute = at // _MINUTE_MS * _MINUTE_MS
        if change >= 0:
            most[minute] = max(most.get(minute, 0), running)
    return most


def _edges(spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    """Yield each moment at which the number may change, and each at which a minute finds it as it is.

    Sorted, an end comes before a beginning in the same moment, and a look at the number between them.
    """
    for span in spans:
        yield span.start_ms, 1
        yield span.end_ms, -1
        first_minute = (span.start_ms // _MINUTE_MS + 1) * _MINUTE_MS
        for minute in range(first_minute, span.end_ms, _MINUTE_MS):
            yield minute, 0
