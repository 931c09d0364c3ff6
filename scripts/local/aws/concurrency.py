"""The peak concurrency of a function, computed from the times of its invocations. Pure."""

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
        """Return the span that ended at this time; at least one millisecond."""
        return cls(at_ms - max(1, round(duration_ms)), at_ms)


def peaks(spans: Iterable[Span]) -> dict[int, int]:
    """Return the peak number of concurrent spans for each minute with any."""
    most: dict[int, int] = {}
    running = 0
    for at, change in sorted(_edges(spans)):
        running += change
        minute = at // _MINUTE_MS * _MINUTE_MS
        if change >= 0:
            most[minute] = max(most.get(minute, 0), running)
    return most


def _edges(spans: Iterable[Span]) -> Iterator[tuple[int, int]]:
    """Yield each change of the number, and each start of a minute as a change of 0.

    Sorted, an end precedes the start of a minute, and that a beginning, at the same time.
    """
    for span in spans:
        yield span.start_ms, 1
        yield span.end_ms, -1
        first_minute = (span.start_ms // _MINUTE_MS + 1) * _MINUTE_MS
        for minute in range(first_minute, span.end_ms, _MINUTE_MS):
            yield minute, 0
