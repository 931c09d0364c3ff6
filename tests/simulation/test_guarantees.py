"""Whatever goes wrong, in whatever order, every promise of the pipeline is kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.simulation import simulate, simulate_all

SEEDS = 3_000
CHUNK = 250
LIGHT_SEEDS = 500
"""As many as `make test` runs; `make test-all` runs them all."""


def chunks() -> list[object]:
    """Split the seeds, so that several processes can share them; all but the first chunks are heavy."""
    return [
        pytest.param(first, marks=[] if first < LIGHT_SEEDS else pytest.mark.heavy)
        for first in range(0, SEEDS, CHUNK)
    ]


@pytest.mark.parametrize("first", chunks())
def test_every_promise_is_kept_under_any_schedule(first: int) -> None:
    failure = simulate_all(range(first, first + CHUNK)).failure

    assert failure is None, failure.explain()


def test_the_schedules_reach_every_fault_and_every_end() -> None:
    tally = simulate_all(range(LIGHT_SEEDS))

    assert not tally.missing_faults()
    assert set(tally.outcomes) == {
        "confirmed",
        "refunded",
        "rejected, out_of_stock",
        "rejected, unknown_sku",
        "rejected, currency_mismatch",
        "cancelled, payment_failed",
        "cancelled, reservation_expired",
        "cancelled, customer_request",
    }


def test_a_seed_decides_everything_that_happens() -> None:
    digests = {simulate(seed).digest() for seed in (7, 7, 8)}

    assert len(digests) == 2


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_schedule_is_the_same_to_the_byte_in_every_process(hash_seed: str) -> None:
    script = (
        "from tests.simulation.simulation import simulate\nfor n in range(40): print(simulate(n).digest())"
    )

    printed = subprocess.run(  # noqa: S603 - this interpreter, this script
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env={"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert printed.split() == [simulate(seed).digest() for seed in range(40)]
