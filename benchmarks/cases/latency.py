"""Compares ways to batch messages by how long an order takes on AWS, in a model."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from benchmarks.fixtures.latency_model import (
    BUS_MEDIAN,
    BUS_P99,
    HANDOVER,
    TAKE,
    Batching,
    Outcome,
    Stage,
    simulate,
)
from benchmarks.harness.report import Report, Table
from benchmarks.harness.statistics import Scale, Spread, quantile
from benchmarks.harness.targets import TargetResult
from scripts.cost.measurements import Figures
from scripts.cost.model import ASSUMED, Model
from scripts.environment.topology import Topology

WINDOW = Batching("99, window of 1 s", 99, window=1.0)
TENS = Batching("10, no window", 10)
FILLED = Batching("10, no window, filled up to 99", 99, takes_more=True)
VARIANTS = (WINDOW, TENS, FILLED)
RATES = (1, 10, 100, 1_000, 10_000)
GATEWAYS = (0.0, 200.0)
"""Milliseconds that a charge takes."""
_LONE = 1

Cells = Mapping[tuple[Batching, float, int], list[Outcome]]


def run(scale: Scale) -> Report:
    seeds, most = scale.pick(1, 5), scale.pick(2_000, 30_000)
    cells = {
        (variant, gateway, rate): [
            simulate(stages(gateway, rate), variant, rate, min(most, max(500, 10 * rate)), seed)
            for seed in range(seeds)
        ]
        for variant, gateway, rate in product(VARIANTS, GATEWAYS, RATES)
    }
    return _report(cells, seeds)


def stages(gateway_ms: float, rate: int) -> tuple[Stage, Stage]:
    """Order and payment, with as many instances as the rate needs when batches are full, at least ten."""
    model = Model(Figures.load(), Topology.load(), assumed=replace(ASSUMED, gateway_ms=gateway_ms))
    order, payment = (_stage(model, name, rate) for name in ("order", "payment"))
    return order, payment


def _stage(model: Model, name: str, rate: int) -> Stage:
    consumer = model.topology.consumer(name)
    spans = [0.0, *(size * model.busy_seconds(name, size) for size in range(1, consumer.batch_size + 1))]
    needed = math.ceil(1.5 * rate * spans[-1] / consumer.batch_size)
    return Stage(spans.__getitem__, max(consumer.maximum_concurrency, needed))


def _report(cells: Cells, seeds: int) -> Report:
    series = {
        f"{variant.name}, {rate}/s, gateway {gateway:.0f} ms: {figure} s": [of(it) for it in outcomes]
        for (variant, gateway, rate), outcomes in cells.items()
        for figure, of in (("p50", _p50), ("p99", _p99))
    }
    lone = [_p50(it) for it in cells[FILLED, GATEWAYS[0], _LONE]]
    return Report(
        name="latency",
        title="Latency on AWS",
        question="How long does an order take on AWS from placed to settled, by how messages are batched?",
        method=[
            (
                "A model in virtual time of bus, queue, Lambda's pollers and two functions. How long a "
                "function takes for a batch is measured (per-order) plus 25 ms per round trip, as in the "
                "cost model; cold starts and retries are left out."
            ),
            (
                f"Assumed: the bus takes {BUS_MEDIAN * 1e3:.0f} ms at the median and {BUS_P99 * 1e3:.0f} ms "
                f"at p99 (AWS states the latter), a poller {HANDOVER[0] * 1e3:.0f} to "
                f"{HANDOVER[1] * 1e3:.0f} ms, ReceiveMessage {TAKE * 1e3:.0f} ms. Five pollers gather "
                "batches in windows of their own, as Lambda does."
            ),
            (
                "Orders arrive at random, one SKU each. A function has its maximumConcurrency, or half as "
                f"many again as the rate needs with full batches. {seeds} seeds for each cell."
            ),
            (
                "AWS documents that with a window and little traffic Lambda may wait up to 20 s, whatever "
                "the window; the model has only the window."
            ),
        ],
        findings=_findings(cells),
        tables=[_table(cells, gateway) for gateway in GATEWAYS],
        targets=(TargetResult("lone-order", Spread.interval(lone)),),
        series=series,
    )


def _p50(outcome: Outcome) -> float:
    return quantile(outcome.latencies, 0.5)


def _p99(outcome: Outcome) -> float:
    return quantile(outcome.latencies, 0.99)


def _table(cells: Cells, gateway: float) -> Table:
    def cell(variant: Batching, rate: int) -> str:
        outcomes = cells[variant, gateway, rate]
        p50, p99 = (Spread.of([of(it) for it in outcomes]) for of in (_p50, _p99))
        batch = Spread.of([it.batch for it in outcomes])
        return f"{p50.median:.2f} / {p99.median:.2f} / {batch.median:.3g}"

    return Table(
        f"A charge takes {gateway:.0f} ms: p50 s / p99 s / orders per batch of payment",
        ("orders/s", *(it.name for it in VARIANTS)),
        [(f"{rate:,}", *(cell(variant, rate) for variant in VARIANTS)) for rate in RATES],
    )


def _findings(cells: Cells) -> list[str]:
    def p50(variant: Batching, gateway: float, rate: int) -> str:
        return Spread.of([_p50(it) for it in cells[variant, gateway, rate]]).text()

    quick, slow = GATEWAYS
    busy = RATES[-2]
    return [
        (
            f"A lone order (1/s) is settled after {p50(FILLED, quick, _LONE)} s without windows, against "
            f"{p50(WINDOW, quick, _LONE)} s with two of a second; with a gateway of {slow:.0f} ms after "
            f"{p50(FILLED, slow, _LONE)} s against {p50(WINDOW, slow, _LONE)} s."
        ),
        (
            f"At {busy:,} orders/s with that gateway it takes {p50(FILLED, slow, busy)} s when functions "
            f"fill their batches themselves, {p50(TENS, slow, busy)} s with tens: a batch waits for "
            "all its charges, 16 at a time. Filling pays on a hot SKU, which orders of a batch share."
        ),
    ]
