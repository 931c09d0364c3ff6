"""How long to stay away from something busy."""

import random
import time
from collections.abc import Callable, Iterator

Waits = Callable[[], Iterator[bool]]
"""Each `next` waits a little before another attempt is due; when they are used up, it is time to give up."""


def jittered(attempts: int, base: float = 0.02, cap: float = 0.5) -> Waits:
    """Full jitter over a doubling span, so that rivals do not meet again."""

    # A retry library would cost more of a cold start than the rest of this package together.
    def waits() -> Iterator[bool]:
        for n in range(attempts):
            time.sleep(random.uniform(0, min(cap, base * 2**n)))  # noqa: S311 - not a secret
            yield True

    return waits
