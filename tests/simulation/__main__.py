"""`make simulate`: one seed and its story, many seeds and their sums, or what catches every mutation."""

import argparse
import sys
import time

from tests.simulation.mutations import MUTATIONS, put_to_the_test
from tests.simulation.simulation import simulate, simulate_all

SEEDS_PER_MUTATION = 2_000


def run_one(seed: int) -> bool:
    report = simulate(seed)
    if report.violations:
        print(report.explain())
        return False
    print(report.world.story.about(frozenset()))
    print(f"seed {seed}: every promise kept; digest {report.digest()}")
    return True


def run_many(count: int, first: int) -> bool:
    started, cpu = time.perf_counter(), time.process_time()
    tally = simulate_all(range(first, first + count))
    elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(
        f"{tally.seeds} seeds from {first} in {elapsed:.1f} s: {tally.seeds / elapsed:.0f} schedules/s "
        f"({tally.seeds / cpu:.0f} per CPU second), {tally.steps / tally.seeds:.0f} steps each"
    )
    print(f"\n{tally.faults.total():>9,} faults injected")
    for fault, times in tally.faults.most_common():
        print(f"{times:>9,}   {fault}")
    print(f"\n{tally.outcomes.total():>9,} orders")
    for outcome, times in tally.outcomes.most_common():
        print(f"{times:>9,}   {outcome}")
    if tally.failure is None:
        print("\nevery promise kept")
        return True
    print(f"\n{tally.failure.explain()}")
    return False


def run_mutations() -> bool:
    width = max(len(mutation.name) for mutation in MUTATIONS)
    survivors = 0
    print(f"{'mutation':<{width}}  {'seeds':>5}  caught by")
    for mutation in MUTATIONS:
        verdict = put_to_the_test(mutation, range(SEEDS_PER_MUTATION))
        survivors += verdict.caught_by is None
        print(f"{mutation.name:<{width}}  {verdict.seeds:>5}  {verdict.caught_by or 'SURVIVED'}", flush=True)
    print(f"\n{len(MUTATIONS)} mutations, {survivors} survived")
    return survivors == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed and tell its story")
    parser.add_argument("--count", type=int, default=3_000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--mutations", action="store_true", help="break every promise, one at a time")
    given = parser.parse_args()
    if given.mutations:
        passed = run_mutations()
    elif given.seed is not None:
        passed = run_one(given.seed)
    else:
        passed = run_many(given.count, given.first)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
