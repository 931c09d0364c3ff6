"""Waiting for a condition, with a deadline; never for a time."""

import time
from collections.abc import Callable

TIMEOUT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], description: str, timeout: float = TIMEOUT_SECONDS) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"timed out after {timeout:g} s: {description}"
        time.sleep(_PAUSE_SECONDS)
