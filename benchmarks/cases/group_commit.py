"""Measures how much faster a batch of orders commits in few transactions."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle, islice

from benchmarks.fixtures.emulator import emulator_fixture
from benchmarks.fixtures.functions import AwsResources, Functions, logs_discarded, order_placed_body
from benchmarks.harness.profiling import Profiler
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, alternate, ratio, ratios
from benchmarks.harness.targets import TargetResult

_HOT = ["sku-hot"]
_SPREAD = [f"sku-{n:04}" for n in range(1_000)]
_USUAL = "1 × (one transaction per order)"
_BATCHES = (1, 10, 100)
_SKUS: Mapping[str, list[str]] = {"one SKU": _HOT, "1,000 SKUs": _SPREAD}


@dataclass
class _ThroughputMeter:
    """Sends orders through both functions and records wall time and the share of CPU time."""

    resources: AwsResources
    functions: Functions
    own: dict[str, list[float]] = field(default_factory=dict)
    emulator: dict[str, list[float]] = field(default_factory=dict)
    _run: "count[int]" = field(default_factory=count)

    def orders_a_second(self, name: str, skus: list[str], batch: int, orders: int) -> float:
        order_ids = [f"bench-{next(self._run):03}-{n:05}" for n in range(orders)]
        bodies = [
            order_placed_body(*pair) for pair in zip(order_ids, islice(cycle(skus), orders), strict=False)
        ]
        seconds = self._timed(name, partial(self.functions.place_orders, bodies, batch))
        requests = self.resources.payment_requests(order_ids)
        seconds += self._timed(name, partial(self.functions.pay, requests, batch))
        return orders / seconds

    def _timed(self, name: str, work: Callable[[], object]) -> float:
        own, emulator = time.process_time(), self.resources.aws.cpu_seconds()
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        self.own.setdefault(name, []).append((time.process_time() - own) / seconds)
        self.emulator.setdefault(name, []).append((self.resources.aws.cpu_seconds() - emulator) / seconds)
        return seconds


def run(scale: Scale) -> Report:
    with emulator_fixture() as aws, logs_discarded():
        resources = AwsResources.on(aws)
        resources.stock([*_HOT, *_SPREAD])
        meter = _ThroughputMeter(resources, Functions(resources))
        orders = {1: scale.pick(50, 200), 10: scale.pick(200, 500), 100: scale.pick(500, 1_000)}
        series = alternate(
            {
                _name(kind, batch): partial(
                    meter.orders_a_second, _name(kind, batch), skus, batch, orders[batch]
                )
                for kind, skus in _SKUS.items()
                for batch in _BATCHES
            },
            scale.pick(3, 6),
        )
        shares, profile = _profile(resources, scale.pick(300, 2_000))
    return _report(scale, series, meter, shares, profile, orders)


def _name(kind: str, batch: int) -> str:
    return f"{kind}, batches of {batch}"


def _profile(resources: AwsResources, orders: int) -> tuple[Mapping[str, float], str]:
    """Profile sequential calls, because the profiler sees one thread."""
    functions, profiler = Functions(resources, run=map), Profiler()
    order_ids = [f"profile-{n:05}" for n in range(orders)]
    bodies = [
        order_placed_body(*pair) for pair in zip(order_ids, islice(cycle(_SPREAD), orders), strict=False)
    ]
    profiler.run(lambda: functions.place_orders(bodies, 100))
    requests = resources.payment_requests(order_ids)
    profiler.run(lambda: functions.pay(requests, 100))
    return profiler.result()


def _report(  # noqa: PLR0913, PLR0917 - all that was measured
    scale: Scale,
    series: Mapping[str, list[float]],
    meter: _ThroughputMeter,
    shares: Mapping[str, float],
    profile: str,
    orders: Mapping[int, int],
) -> Report:
    gains = {
        (kind, batch): ratio(series[_name(kind, batch)], series[_name(kind, 1)])
        for kind in _SKUS
        for batch in _BATCHES
    }
    hot = ratio(series[_name("one SKU", 100)], series[_name("1,000 SKUs", 100)])
    rows = []
    for (kind, batch), gain in gains.items():
        name = _name(kind, batch)
        each = Spread.of(series[name])
        rows.append(
            (
                kind,
                str(batch),
                each.text(),
                f"{gain.text()} ×",
                f"{Spread.of(meter.own[name]).median:.0%}",
                f"{Spread.of(meter.emulator[name]).median:.0%}",
            )
        )
    return Report(
        name="group-commit",
        title="Group commit",
        question="How many more orders a second are reserved, paid and settled when a batch commits in few "
        "transactions? How much does contention on one SKU cost?",
        method=_method(scale, orders),
        findings=_findings(gains, hot, meter, shares),
        tables=(
            Table(
                "Orders per second",
                ("SKUs", "batch", "orders/s", "/ batches of 1", "our CPU", "emulator CPU"),
                rows,
                "CPU as a share of one core, at the median.",
            ),
            Table(
                "CPU time by package, batches of 100",
                ("package", "share"),
                [(name, f"{share:.1%}") for name, share in shares.items() if share >= 0.005],
                "Of our process, under the profiler; built-in functions count for their caller.",
            ),
        ),
        charts=(
            Chart(
                "Orders per second by batch size",
                [str(batch) for batch in _BATCHES],
                {
                    kind: [Spread.of(series[_name(kind, batch)]).median for batch in _BATCHES]
                    for kind in _SKUS
                },
                "orders in a batch",
                "orders/s",
                bars=True,
            ),
        ),
        targets=(
            TargetResult("group-commit", _gain(series, "one SKU"), usual=_USUAL),
            TargetResult("group-commit-spread", _gain(series, "1,000 SKUs"), usual=_USUAL),
            TargetResult(
                "hot-sku",
                Spread.interval(ratios(series[_name("one SKU", 100)], series[_name("1,000 SKUs", 100)])),
            ),
        ),
        series={f"{name}: orders/s": values for name, values in series.items()},
        attachments={"profile-group-commit.txt": profile},
    )


def _gain(series: Mapping[str, list[float]], kind: str) -> Spread:
    return Spread.interval(ratios(series[_name(kind, 100)], series[_name(kind, 1)]))


def _method(scale: Scale, orders: Mapping[int, int]) -> list[str]:
    sizes = ", ".join(f"{many} orders in batches of {batch}" for batch, many in orders.items())
    return [
        (
            "The order and the payment function run in this process with the real store, group commit and "
            "bus on a separate emulator. Measured is the time in the functions, from a batch of messages to "
            "the response, without the delivery of events between them."
        ),
        (
            f"All variants in turns, {scale.pick(3, 6)} repetitions ({sizes}); each order takes one unit of "
            "one SKU. Ratios are taken within a repetition."
        ),
        (
            "In batches of 1 the same functions receive one message at a time: two transactions and two "
            "calls of the bus per order. On AWS many of those run concurrently; see the pipeline benchmark."
        ),
    ]


def _findings(
    gains: Mapping[tuple[str, int], Spread], hot: Spread, meter: _ThroughputMeter, shares: Mapping[str, float]
) -> list[str]:
    name = _name("1,000 SKUs", 100)
    own, emulator = Spread.of(meter.own[name]).median, Spread.of(meter.emulator[name]).median
    limit = "the emulator" if emulator > own else "our own process"
    owners = ", ".join(f"{it} {share:.0%}" for it, share in list(shares.items())[:6])
    return [
        (
            f"Batches of 100 settle {gains['one SKU', 100].text()} times as many orders as one at a time on "
            f"one SKU, and {gains['1,000 SKUs', 100].text()} times over 1,000 SKUs; batches of 10 "
            f"{gains['one SKU', 10].text()} and {gains['1,000 SKUs', 10].text()} times."
        ),
        (
            f"When every order of a batch takes the same SKU, {hot.text()} times as many orders pass as over "
            "1,000 SKUs: its stock is written once for all of them."
        ),
        (
            f"In batches of 100 over 1,000 SKUs {limit} is the limit: the emulator uses {emulator:.0%} of a "
            f"core, our process {own:.0%}."
        ),
        f"CPU time of our process: {owners}.",
    ]
