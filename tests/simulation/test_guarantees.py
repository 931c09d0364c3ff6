"""Whatever goes wrong, in whatever order, every promise of the pipeline is kept."""

import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulation.simulation import simulate, simulate_all

SEEDS = 3_000
CHUNK = 250


@dataclass(frozen=True, slots=True)
class Chunk:
    """What became of some seeds, small enough to be handed from process to process."""

    failure: str | None
    missing_faults: frozenset[str]
    outcomes: frozenset[str]


def run_chunk(first: int) -> Chunk:
    tally = simulate_all(range(first, first + CHUNK))
    return Chunk(
        tally.failure.explain() if tally.failure else None,
        frozenset(fault.value for fault in tally.missing_faults()),
        frozenset(tally.outcomes),
    )


@pytest.fixture(scope="module")
def chunks(crew: ProcessPoolExecutor) -> Mapping[int, Future[Chunk]]:
    return {first: crew.submit(run_chunk, first) for first in range(0, SEEDS, CHUNK)}


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_promise_is_kept_under_any_schedule(first: int, chunks: Mapping[int, Future[Chunk]]) -> None:
    failure = chunks[first].result().failure

    assert failure is None, failure


def test_the_schedules_reach_every_fault_and_every_end(chunks: Mapping[int, Future[Chunk]]) -> None:
    chunk = chunks[0].result()

    assert not chunk.missing_faults
    assert chunk.outcomes == {
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
