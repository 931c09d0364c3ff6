"""Measures POST /api/orders beside PutEvents, and what the function takes to accept an order.

The cost model (scripts/cost) reads the summary of this benchmark.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from benchmarks.cases.http_orders_report import BUS, CLIENTS, HTTP, report
from benchmarks.fixtures.http_orders import (
    SKU,
    CommandsFixture,
    Load,
    Place,
    apply,
    bus_clients,
    deliveries_stopped,
    figures,
    http_clients,
)
from benchmarks.fixtures.order_load import stack_fixture
from benchmarks.fixtures.pipeline import pipeline_fixture
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale
from scripts.cost.way_in import AT_REST, IN_A_BURST

_AFTER_SECONDS = {AT_REST: 1.0, IN_A_BURST: 0.0}
"""Between two orders of a caller: the rate limiter writes once, or twice."""

Loads = Mapping[tuple[str, int], list[Load]]
Taken = Mapping[str, Mapping[str, list[float]]]


def run(scale: Scale) -> Report:
    repetitions = scale.pick(1, 7)
    return report(_loads(repetitions, scale.pick(5, 40)), _taken(scale.pick(5, 40)), repetitions)


def _loads(repetitions: int, orders: int) -> Loads:
    loads: defaultdict[tuple[str, int], list[Load]] = defaultdict(list)
    with stack_fixture() as stack, deliveries_stopped(stack):
        stack.stock([SKU])
        ways = {HTTP: http_clients(stack, max(CLIENTS)), BUS: bus_clients(stack, max(CLIENTS))}
        variants: list[tuple[str, int]] = [(name, count) for count in CLIENTS for name in ways]
        for name, count in variants:
            _apply(ways[name], count, orders)  # starts functions and opens connections
        for repetition in range(repetitions):
            for name, count in variants[:: -1 if repetition % 2 else 1]:
                loads[name, count].append(_apply(ways[name], count, orders))
    return loads


def _apply(clients: Sequence[Place], count: int, orders: int) -> Load:
    return apply(clients[:count], max(5, orders // count))


def _taken(orders: int) -> Taken:
    taken: dict[str, defaultdict[str, list[float]]] = {name: defaultdict(list) for name in _AFTER_SECONDS}
    with pipeline_fixture() as pipeline:
        commands = CommandsFixture(pipeline)
        commands.place(after_seconds=0)  # opens connections
        for name, seconds in _AFTER_SECONDS.items():
            for _ in range(orders):
                for figure, value in figures(commands.place(after_seconds=seconds)).items():
                    taken[name][figure].append(value)
    return taken
