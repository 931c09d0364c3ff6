"""The bounds of every histogram: whoever counts observations and whoever shows them must agree."""

from bisect import bisect_left

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Upper bounds in seconds; a last bucket without bound follows."""


def _named(bound: float) -> str:
    return f"{bound:g}"


NAMES = (*map(_named, BUCKETS), "+Inf")
"""The `le` dimension that stands for each bucket."""


def bucket(seconds: float) -> str:
    """Name the one bucket an observation belongs to, by its upper bound."""
    return NAMES[bisect_left(BUCKETS, seconds)]
