"""How many requests a caller may make: the generic cell rate algorithm, over one number per caller."""

from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Rate:
    per_second: int
    burst: int

    @property
    def interval_ms(self) -> int:
        return 1_000 // self.per_second

    @property
    def tolerance_ms(self) -> int:
        """How far the theoretical arrival time may be ahead of a request that is let through."""
        return self.interval_ms * (self.burst - 1)


WRITES: Final = Rate(per_second=20, burst=100)
"""Of one caller, over all functions that write."""


class RateLimiter(Protocol):
    def seconds_to_wait(self, tenant_id: str, caller: str) -> int:
        """Count a request; returns 0, or the seconds after which the next one would be let through."""


def next_arrival(arrival_ms: int | None, now_ms: int, rate: Rate) -> int | None:
    """Return the caller's next theoretical arrival time; None if the request is one too many."""
    arrival = max(arrival_ms or now_ms, now_ms)
    return arrival + rate.interval_ms if arrival - now_ms <= rate.tolerance_ms else None


def seconds_until_allowed(arrival_ms: int, now_ms: int, rate: Rate) -> int:
    """Return the whole seconds until a refused request would be let through, at least 1."""
    return max(1, -(-(arrival_ms - now_ms - rate.tolerance_ms) // 1_000))
