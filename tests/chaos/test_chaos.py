"""A small storm over a whole stack; `make chaos` raises a larger one."""

import pytest

from tests.chaos.run import Scale, run

pytestmark = pytest.mark.stack


def test_a_storm_loses_doubles_and_leaks_nothing() -> None:
    report = run(Scale.small(orders=150, seed=20_260_131))

    assert report.unfinished == ""
    assert report.findings == []
    assert report.faults.total() > 10
    assert report.killed > 0
    assert report.outcomes["CONFIRMED"] > 0
