"""Every benchmark can be found, and every target has one."""

from importlib.util import find_spec

import pytest

from benchmarks.catalog import CATALOGUE
from benchmarks.harness.targets import TARGETS


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_benchmark_has_a_module_that_runs_and_says_what_it_asks(name: str) -> None:
    benchmark = CATALOGUE[name]

    assert find_spec(benchmark.module)
    assert callable(benchmark.load())
    assert len(benchmark.purpose) > 20


def test_targets_are_told_with_their_bound_and_unit() -> None:
    assert TARGETS["group-commit"].told() == "≥ 5 ×"
    assert TARGETS["scrape"].told() == "≤ 50 ms"


def test_a_target_is_met_on_the_right_side_of_its_bound() -> None:
    assert TARGETS["group-commit"].met(5.0)
    assert not TARGETS["group-commit"].met(4.99)
    assert TARGETS["scrape"].met(50.0)
    assert not TARGETS["scrape"].met(50.1)
