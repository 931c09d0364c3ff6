"""Measures how much CPU time an order takes above plain botocore calls for the same writes."""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle, islice
from typing import Any

from benchmarks.fixtures.emulator import emulator_fixture
from benchmarks.fixtures.functions import (
    AwsClients,
    AwsResources,
    Functions,
    logs_discarded,
    order_placed_body,
)
from benchmarks.harness.profiling import Profiler
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, alternate, ratio, ratios
from benchmarks.harness.targets import TargetResult
from scripts.common.null_telemetry import NullTelemetry

_SKUS = [f"sku-{n:04}" for n in range(1_000)]
_BATCH = 100
_WRITES = ("transact_write_items", "put_events")
_OPERATIONS = {
    "TransactWriteItems": "transact_write_items",
    "BatchGetItem": "batch_get_item",
    "PutEvents": "put_events",
}
_OURS = "ours"
_BOTOCORE_WRITES = "botocore, same writes"
_SAME_SETTINGS = "botocore, same writes, our settings"
_ALL_CALLS = "botocore, same writes and reads, our settings"
_DEFAULT_SETTINGS = "ours, botocore's default settings"
_FROZEN = "ours, after gc.freeze()"
_NO_TELEMETRY = "ours, without logs and metrics"


@dataclass
class _Recording:
    """The calls of one run, as text, to be repeated for other orders."""

    run: str
    phases: list[list[tuple[str, str]]] = field(default_factory=list)

    def attach(self, calls: AwsClients) -> None:
        for client in (calls.dynamodb, calls.events):
            client.meta.events.register("before-parameter-build", self._record)

    def phase(self) -> None:
        self.phases.append([])

    def _record(self, params: Mapping[str, Any], event_name: str, **_: object) -> None:
        operation = _OPERATIONS.get(event_name.rpartition(".")[2])
        if operation and self.phases:
            copied_params = {name: value for name, value in params.items() if name != "ClientRequestToken"}
            self.phases[-1].append((operation, json.dumps(copied_params)))

    def calls_for(self, run: str, operations: Sequence[str]) -> list[list[tuple[str, Any]]]:
        return [
            [
                (operation, json.loads(params.replace(self.run, run)))
                for operation, params in phase
                if operation in operations
            ]
            for phase in self.phases
        ]


@dataclass
class _CpuMeter:
    """CPU milliseconds per order of this process, all threads together."""

    resources: AwsResources
    orders: int
    runs: "count[int]" = field(default_factory=count)

    def next_run(self) -> str:
        return f"overhead-{next(self.runs):05}"

    def ours(
        self,
        functions: Functions,
        recording: _Recording | None = None,
        measure: Callable[[Callable[[], object]], float] | None = None,
    ) -> float:
        measure = measure or _cpu_ms
        run = recording.run if recording else self.next_run()
        ids = [f"{run}-{n:05}" for n in range(self.orders)]
        bodies = [
            order_placed_body(*pair) for pair in zip(ids, islice(cycle(_SKUS), self.orders), strict=True)
        ]
        if recording:
            recording.phase()
        cpu_ms = measure(lambda: functions.place_orders(bodies, _BATCH))
        requests = self.resources.payment_requests(ids)
        if recording:
            recording.phase()
        return (cpu_ms + measure(lambda: functions.pay(requests, _BATCH))) / self.orders

    def botocore_only(
        self, functions: Functions, calls: AwsClients, recording: _Recording, operations: Sequence[str]
    ) -> float:
        by_name = {
            "transact_write_items": calls.dynamodb.transact_write_items,
            "batch_get_item": calls.dynamodb.batch_get_item,
            "put_events": calls.events.put_events,
        }

        def make(call: tuple[str, Any]) -> None:
            by_name[call[0]](**call[1])

        phases = recording.calls_for(self.next_run(), operations)

        def replay() -> None:
            for phase in phases:
                list(functions.run_concurrently(make, phase))

        return _cpu_ms(replay) / self.orders


def run(scale: Scale) -> Report:
    orders = scale.pick(200, 500)
    with emulator_fixture() as aws, logs_discarded():
        resources = AwsResources.on(aws)
        resources.stock(_SKUS)
        meter = _CpuMeter(resources, orders)
        ours, plain = Functions(resources), AwsClients.plain()
        default_settings = Functions(resources, clients=plain)
        no_telemetry = Functions(
            resources, clients=ours.clients, telemetry=lambda _consumer, _namespace: NullTelemetry()
        )
        meter.ours(ours)  # fills the price cache, so that no price read is recorded
        recording = _recorded(meter, resources)
        every = tuple(_OPERATIONS.values())
        series = alternate(
            {
                _OURS: partial(meter.ours, ours),
                _BOTOCORE_WRITES: partial(meter.botocore_only, ours, plain, recording, _WRITES),
                _SAME_SETTINGS: partial(meter.botocore_only, ours, ours.clients, recording, _WRITES),
                _ALL_CALLS: partial(meter.botocore_only, ours, ours.clients, recording, every),
                _DEFAULT_SETTINGS: partial(meter.ours, default_settings),
                _FROZEN: partial(_frozen, partial(meter.ours, ours)),
                _NO_TELEMETRY: partial(meter.ours, no_telemetry),
            },
            scale.pick(4, 8),
        )
        one_by_one = Functions(resources, run=map)
        meter.ours(one_by_one)
        profiler = Profiler()
        meter.ours(one_by_one, measure=lambda work: _cpu_ms(lambda: profiler.run(work)))
        shares, profile = profiler.result()
    return _report(scale, series, _counted(recording), shares, profile, orders)


def _recorded(meter: _CpuMeter, resources: AwsResources) -> _Recording:
    recorder, recording = Functions(resources), _Recording(meter.next_run())
    meter.ours(recorder)
    recording.attach(recorder.clients)
    meter.ours(recorder, recording)
    return recording


def _counted(recording: _Recording) -> Mapping[str, int]:
    made = [operation for phase in recording.phases for operation, _ in phase]
    return {operation: made.count(operation) for operation in _OPERATIONS.values()}


def _frozen(measure: Callable[[], float]) -> float:
    gc.freeze()
    try:
        return measure()
    finally:
        gc.unfreeze()


def _cpu_ms(work: Callable[[], object]) -> float:
    gc.collect()  # each variant pays for its own garbage only
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1_000


def _report(  # noqa: PLR0913, PLR0917 - all that was measured
    scale: Scale,
    series: Mapping[str, list[float]],
    calls: Mapping[str, int],
    shares: Mapping[str, float],
    profile: str,
    orders: int,
) -> Report:
    over = {name: ratio(series[_OURS], values) for name, values in series.items()}
    overhead, same_settings = (
        Spread.interval([value * 100 - 100 for value in ratios(series[_OURS], series[botocore_only])])
        for botocore_only in (_BOTOCORE_WRITES, _SAME_SETTINGS)
    )
    rows = [
        (name, f"{Spread.of(values).text()}", f"{over[name].text()} ×") for name, values in series.items()
    ]
    return Report(
        name="botocore-overhead",
        title="CPU time above botocore",
        question="How much CPU time does an order take in our process, compared with a process that only "
        "makes the same writes through botocore?",
        method=_method(scale, orders, calls),
        findings=_findings(series, overhead, same_settings, shares),
        tables=(
            Table("CPU time per order", ("variant", "ms per order", "ours / variant"), rows),
            Table(
                "CPU time by package",
                ("package", "share"),
                [(name, f"{share:.1%}") for name, share in shares.items() if share >= 0.005],
                "Under the profiler, with sequential calls.",
            ),
        ),
        charts=(
            Chart(
                "CPU time per order",
                ["ms"],
                {name: [Spread.of(values).median] for name, values in series.items()},
                y_title="ms",
                bars=True,
            ),
        ),
        targets=(
            TargetResult(
                "cpu-overhead", overhead, lower_bound=f"{Spread.of(series[_BOTOCORE_WRITES]).text()} ms"
            ),
            TargetResult(
                "cpu-overhead-same-settings",
                same_settings,
                lower_bound=f"{Spread.of(series[_SAME_SETTINGS]).text()} ms",
            ),
        ),
        series={f"{name}: ms per order": values for name, values in series.items()},
        attachments={"profile-botocore-overhead.txt": profile},
    )


def _method(scale: Scale, orders: int, calls: Mapping[str, int]) -> list[str]:
    counts = ", ".join(f"{number} {operation}" for operation, number in calls.items())
    return [
        (
            f"{orders} orders over 1,000 SKUs pass through the order and the payment function in batches of "
            f"{_BATCH}. Measured is the CPU time of this process, all threads together, from messages to "
            f"response. The calls of one such run are recorded ({counts})."
        ),
        (
            "*botocore* repeats the recorded calls for other orders, as many concurrently, and does nothing "
            "else: it parses no messages, makes no decisions and no events, and writes no logs or metrics."
        ),
        (
            "Our clients disable botocore's parameter validation and its search for ARNs, and set a user "
            "agent. *same writes* uses botocore's default settings; *our settings* is the stricter "
            "comparison."
        ),
        f"All variants in turns, {scale.pick(4, 8)} repetitions.",
    ]


def _findings(
    series: Mapping[str, list[float]], overhead: Spread, same_settings: Spread, shares: Mapping[str, float]
) -> list[str]:
    with_defaults = ratio(series[_DEFAULT_SETTINGS], series[_OURS])
    without_telemetry = ratio(series[_NO_TELEMETRY], series[_OURS])
    after_freeze = ratio(series[_FROZEN], series[_OURS])
    reads = [
        all_calls - writes
        for all_calls, writes in zip(series[_ALL_CALLS], series[_SAME_SETTINGS], strict=True)
    ]
    reading = ratio(reads, series[_OURS])
    own = {name: share for name, share in shares.items() if name not in _BELOW}
    others = ", ".join(f"{name} {share:.0%}" for name, share in own.items() if share >= 0.01)
    return [
        (
            f"An order takes {Spread.of(series[_OURS]).text()} ms of CPU in our process: {overhead.text(2)} "
            "% above botocore making the same writes."
        ),
        (
            f"Compared with botocore with our settings it is {same_settings.text(2)} % above. With "
            f"botocore's default settings our functions take {with_defaults.text()} times as much; after "
            f"`gc.freeze()` {after_freeze.text()} times."
        ),
        (
            f"Without logs and metrics an order takes {without_telemetry.text()} times as much. Reading the "
            f"orders before they are charged is {reading.median:.0%} of our time."
        ),
        f"CPU time outside of botocore and its transport: {others}.",
    ]


_BELOW = frozenset({"botocore", "urllib3", "http and sockets"})
