"""A target is met or missed only when the whole measured interval is on one side of it."""

import pytest

from benchmarks.harness.statistics import Spread
from benchmarks.harness.targets import TARGETS, TargetResult, Verdict


def test_a_target_is_written_with_its_bound_and_unit() -> None:
    assert TARGETS["group-commit"].text() == "≥ 5 ×"
    assert TARGETS["scrape"].text() == "≤ 50 ms"


@pytest.mark.parametrize(
    ("target", "low", "high", "verdict"),
    [
        ("group-commit", 5.0, 9.0, Verdict.MET),
        ("group-commit", 4.99, 9.0, Verdict.INCONCLUSIVE),
        ("group-commit", 3.0, 4.99, Verdict.MISSED),
        ("scrape", 40.0, 50.0, Verdict.MET),
        ("scrape", 40.0, 50.1, Verdict.INCONCLUSIVE),
        ("scrape", 50.1, 60.0, Verdict.MISSED),
    ],
)
def test_the_verdict_depends_on_both_ends_of_the_interval(
    target: str, low: float, high: float, verdict: Verdict
) -> None:
    assert TARGETS[target].verdict(Spread((low + high) / 2, low, high, 8)) is verdict


def test_a_median_within_the_target_does_not_meet_it_when_the_interval_crosses_the_limit() -> None:
    measured = Spread.interval([6.9, 10.0, 18.0, 24.0, 24.2, 30.5, 50.0, 64.1])

    assert measured.median < TARGETS["cpu-overhead"].limit
    assert TargetResult("cpu-overhead", measured).verdict is Verdict.INCONCLUSIVE
