"""Every benchmark can be loaded, and every target names one."""

from importlib.util import find_spec

import pytest

from benchmarks.catalog import CATALOG
from benchmarks.harness.targets import TARGETS


@pytest.mark.parametrize("name", CATALOG)
def test_a_benchmark_has_a_module_that_runs_and_a_question(name: str) -> None:
    benchmark = CATALOG[name]

    assert find_spec(benchmark.module)
    assert callable(benchmark.load())
    assert len(benchmark.purpose) > 20
    assert benchmark.purpose.endswith("?")


def test_every_target_is_measured_by_a_benchmark_in_the_catalog() -> None:
    assert {target.benchmark for target in TARGETS.values()} <= set(CATALOG)
