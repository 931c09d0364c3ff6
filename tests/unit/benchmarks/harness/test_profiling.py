"""A profile shows CPU time by package, without local paths."""

import json
from pathlib import Path

import pytest

from benchmarks.harness.profiling import Profiler
from services.shared.ledger import Key


def busy() -> None:
    for n in range(2_000):
        json.dumps({"n": n, "key": Key("default", str(n)).pk})


def test_cpu_time_is_split_by_package_and_adds_up() -> None:
    profiler = Profiler()
    profiler.run(busy)

    shares, _ = profiler.result()

    assert sum(shares.values()) == pytest.approx(1)
    assert {"json", "ours"} <= shares.keys()


def test_a_profile_contains_no_local_path() -> None:
    profiler = Profiler()
    profiler.run(busy)

    _, text = profiler.result()

    assert "services/shared/ledger.py" in text
    assert str(Path.home()) not in text
    assert str(Path(__file__).parents[4]) not in text
