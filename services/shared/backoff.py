"""How long to stay away from something busy, and until when it is worth it."""

import random
import time
from collections.abc import Callable, Iterator

Jitter = Callable[[float, float], float]
Waits = Callable[[], Iterator[bool]]
"""Each `next` waits a little before another attempt is due; when they are used up, it is time to give up."""


def jittered(attempts: int, base: float = 0.02, cap: float = 0.5) -> Waits:
    """Full jitter over a doubling span, so that concurrent workers do not meet again."""

    # A retry library would cost more of a cold start than the rest of this package together.
    def waits() -> Iterator[bool]:
        for n in range(attempts):
            time.sleep(random.uniform(0, min(cap, base * 2**n)))  # noqa: S311 - not a secret
            yield True

    return waits


class Deadline:
    """When the current invocation must stop retrying, so that it can still publish and answer."""

    def __init__(
        self,
        reserve: float = 12.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        jitter: Jitter = random.uniform,
    ) -> None:
        self._reserve = reserve
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._ends = 0.0

    def start(self, remaining: float) -> None:
        """Begin an invocation that is stopped after so many seconds."""
        self._ends = self._clock() + remaining - self._reserve

    def passed(self) -> bool:
        return self._clock() >= self._ends

    def waits(self, base: float = 0.1, cap: float = 2.0) -> Iterator[bool]:
        """Wait with full jitter over a doubling span, until the deadline."""
        span = base
        while (left := self._ends - self._clock()) > 0:
            self._sleep(min(left, self._jitter(0, span)))
            span = min(cap, span * 2)
            yield True


_REDELIVERY_SECONDS = (2, 15, 120, 900)
"""After the first, second, … receive. Together longer than a reservation is held: the last receive of a
payment must come after its order expired, to find and refund a charge whose answer was lost."""


def redelivery_seconds(receives: int, most: int | None = None, jitter: Jitter = random.uniform) -> int | None:
    """Say how long a message that failed stays away; None: as long as its queue has it."""
    if not 1 <= receives <= len(_REDELIVERY_SECONDS):
        return None
    delay = round(_REDELIVERY_SECONDS[receives - 1] * jitter(1, 1.5))
    return delay if most is None else min(delay, most)


def never() -> Iterator[bool]:
    """Do not retry."""
    return iter(())
