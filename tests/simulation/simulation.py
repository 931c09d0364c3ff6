"""Runs one seed, or many, and says what came of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from tests.simulation.faults import Fault
from tests.simulation.final_checks import check_rest
from tests.simulation.invariants import Violation
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one seed."""

    seed: int
    violations: tuple[Violation, ...]
    faults: Counter[Fault]
    outcomes: Counter[str]
    world: World

    def digest(self) -> str:
        """Name everything that happened, to the byte."""
        return sha256(self.world.story.whole().encode()).hexdigest()

    def explain(self) -> str:
        orders = frozenset(name for violation in self.violations for name in violation.orders)
        story = self.world.story.about(orders)
        found = "\n".join(f"  violated: {violation}" for violation in self.violations)
        return f"seed {self.seed}\n{story}\n{found}\n  replay:   make simulate SEED={self.seed}"


def simulate(seed: int) -> Report:
    world = World(seed)
    world.run()
    if not world.watch.violations:
        check_rest(world)
    outcomes = Counter(
        f"{order.status.value.lower()}{f', {order.reason}' if order.reason else ''}"
        for order in world.watch.orders.values()
    )
    return Report(seed, tuple(world.watch.violations), world.fault_mix.injected, outcomes, world)


@dataclass(slots=True)
class Tally:
    """What became of many."""

    seeds: int = 0
    steps: int = 0
    faults: Counter[Fault] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    failure: Report | None = None

    def missing_faults(self) -> set[Fault]:
        return {fault for fault in Fault if not self.faults[fault]}


def simulate_all(seeds: Iterable[int]) -> Tally:
    """Run seeds until one fails."""
    tally = Tally()
    for seed in seeds:
        report = simulate(seed)
        tally.seeds += 1
        tally.steps += report.world.scheduler.steps
        tally.faults += report.faults
        tally.outcomes += report.outcomes
        if report.violations:
            tally.failure = report
            break
    return tally
