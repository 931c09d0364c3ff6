"""How much processor time an order takes of us, above what botocore takes for the same writes."""

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, cycle, islice
from typing import Any

from benchmarks.fixtures.emulator import emulated
from benchmarks.fixtures.functions import Calls, Functions, Place, placed, quiet
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
_BARE = "botocore, same writes"
_BARE_ALIKE = "botocore, same writes, our settings"
_BARE_ALL = "botocore, same writes and reads, our settings"
_VALIDATED = "ours, botocore's default settings"
_FROZEN = "ours, after gc.freeze()"
_SILENT = "ours, without logs and metrics"


@dataclass
class _Recording:
    """The calls of one run, as text, so that they can be made again about other orders."""

    run: str
    phases: list[list[tuple[str, str]]] = field(default_factory=list)

    def listen(self, calls: Calls) -> None:
        for client in (calls.dynamodb, calls.events):
            client.meta.events.register("before-parameter-build", self._heard)

    def phase(self) -> None:
        self.phases.append([])

    def _heard(self, params: Mapping[str, Any], event_name: str, **_: object) -> None:
        operation = _OPERATIONS.get(event_name.rpartition(".")[2])
        if operation and self.phases:
            told = {name: value for name, value in params.items() if name != "ClientRequestToken"}
            self.phases[-1].append((operation, json.dumps(told)))

    def about(self, run: str, operations: Sequence[str]) -> list[list[tuple[str, Any]]]:
        return [
            [
                (operation, json.loads(params.replace(self.run, run)))
                for operation, params in phase
                if operation in operations
            ]
            for phase in self.phases
        ]


@dataclass
class _Meter:
    """Processor milliseconds per order of this process, all its threads together."""

    place: Place
    orders: int
    runs: "count[int]" = field(default_factory=count)

    def next_run(self) -> str:
        return f"floor-{next(self.runs):05}"

    def ours(
        self,
        functions: Functions,
        recording: _Recording | None = None,
        measure: Callable[[Callable[[], object]], float] | None = None,
    ) -> float:
        measure = measure or _spent
        run = recording.run if recording else self.next_run()
        ids = [f"{run}-{n:05}" for n in range(self.orders)]
        bodies = [placed(*pair) for pair in zip(ids, islice(cycle(_SKUS), self.orders), strict=True)]
        if recording:
            recording.phase()
        spent = measure(lambda: functions.place(bodies, _BATCH))
        requests = self.place.payment_requests(ids)
        if recording:
            recording.phase()
        return (spent + measure(lambda: functions.pay(requests, _BATCH))) / self.orders

    def bare(
        self, functions: Functions, calls: Calls, recording: _Recording, operations: Sequence[str]
    ) -> float:
        by_name = {
            "transact_write_items": calls.dynamodb.transact_write_items,
            "batch_get_item": calls.dynamodb.batch_get_item,
            "put_events": calls.events.put_events,
        }

        def make(call: tuple[str, Any]) -> None:
            by_name[call[0]](**call[1])

        phases = recording.about(self.next_run(), operations)

        def replay() -> None:
            for phase in phases:
                list(functions.at_once(make, phase))

        return _spent(replay) / self.orders


def run(scale: Scale) -> Report:
    orders = scale.pick(200, 500)
    with emulated() as aws, quiet():
        place = Place.on(aws)
        place.stock(_SKUS)
        meter = _Meter(place, orders)
        ours, plain = Functions(place), Calls.plain()
        validated = Functions(place, calls=plain)
        silent = Functions(place, calls=ours.calls, telemetry=lambda _consumer, _namespace: NullTelemetry())
        meter.ours(ours)  # so that prices are known, and no read of them is recorded
        recording = _recorded(meter, place)
        every = tuple(_OPERATIONS.values())
        series = alternate(
            {
                _OURS: partial(meter.ours, ours),
                _BARE: partial(meter.bare, ours, plain, recording, _WRITES),
                _BARE_ALIKE: partial(meter.bare, ours, ours.calls, recording, _WRITES),
                _BARE_ALL: partial(meter.bare, ours, ours.calls, recording, every),
                _VALIDATED: partial(meter.ours, validated),
                _FROZEN: partial(_frozen, partial(meter.ours, ours)),
                _SILENT: partial(meter.ours, silent),
            },
            scale.pick(4, 8),
        )
        one_by_one = Functions(place, run=map)
        meter.ours(one_by_one)
        profiler = Profiler()
        meter.ours(one_by_one, measure=lambda work: _spent(lambda: profiler.run(work)))
        shares, profile = profiler.result()
    return _report(scale, series, _counted(recording), shares, profile, orders)


def _recorded(meter: _Meter, place: Place) -> _Recording:
    recorder, recording = Functions(place), _Recording(meter.next_run())
    meter.ours(recorder)
    recording.listen(recorder.calls)
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


def _spent(work: Callable[[], object]) -> float:
    gc.collect()  # nobody pays for the garbage of another
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
    above, alike = (
        Spread.interval([value * 100 - 100 for value in ratios(series[_OURS], series[bare])])
        for bare in (_BARE, _BARE_ALIKE)
    )
    rows = [
        (name, f"{Spread.of(values).text()}", f"{over[name].text()} ×") for name, values in series.items()
    ]
    return Report(
        name="botocore-overhead",
        title="CPU time above botocore",
        question="How much CPU time does an order take in our process, compared with a process that only "
        "makes the same writes through botocore?",
        method=_how(scale, orders, calls),
        findings=_findings(series, above, alike, shares),
        tables=(
            Table("Processor time for an order", ("what", "ms per order", "ours against it"), rows),
            Table(
                "Whose it is",
                ("package", "share"),
                [(name, f"{share:.1%}") for name, share in shares.items() if share >= 0.005],
                "Under the profiler, one call after the other.",
            ),
        ),
        charts=(
            Chart(
                "Processor time for an order",
                ["ms"],
                {name: [Spread.of(values).median] for name, values in series.items()},
                y_title="ms",
                bars=True,
            ),
        ),
        targets=(
            TargetResult("cpu-overhead", above, lower_bound=f"{Spread.of(series[_BARE]).text()} ms"),
            TargetResult(
                "cpu-overhead-same-settings", alike, lower_bound=f"{Spread.of(series[_BARE_ALIKE]).text()} ms"
            ),
        ),
        series={f"{name}: ms per order": values for name, values in series.items()},
        attachments={"profile-botocore-overhead.txt": profile},
    )


def _how(scale: Scale, orders: int, calls: Mapping[str, int]) -> list[str]:
    made = ", ".join(f"{number} {operation}" for operation, number in calls.items())
    ours = (
        f"{orders} orders over 1,000 SKUs go through the order and the payment function in batches of "
        f"{_BATCH}; what is measured is the processor time of this process, its threads together, between "
        f"messages and answer. The calls of one such run are recorded ({made})."
    )
    bare = (
        "*Bare* makes the recorded calls again about other orders, with as many in flight, and does nothing "
        "else: no reading of messages, no decisions, no events to be made, no logs, no metrics."
    )
    alike = (
        "Our clients do not have botocore validate parameters or look through them for ARNs, and give it a "
        "user agent. *Bare: the same writes* is botocore as it is; *with our settings* is the stricter floor."
    )
    return [ours, bare, alike, f"All of them in turns, {scale.pick(4, 8)} repetitions."]


def _findings(
    series: Mapping[str, list[float]], above: Spread, alike: Spread, shares: Mapping[str, float]
) -> list[str]:
    validating = ratio(series[_VALIDATED], series[_OURS])
    speaking = ratio(series[_SILENT], series[_OURS])
    frozen = ratio(series[_FROZEN], series[_OURS])
    reading = Spread.of(
        [
            (read - write) / ours
            for read, write, ours in zip(series[_BARE_ALL], series[_BARE_ALIKE], series[_OURS], strict=True)
        ]
    )
    own = {name: share for name, share in shares.items() if name not in _BELOW}
    others = ", ".join(f"{name} {share:.0%}" for name, share in own.items() if share >= 0.01)
    total = (
        f"An order takes {Spread.of(series[_OURS]).text()} ms of our process: {above.text(2)} % above "
        "botocore making the same writes."
    )
    strictly = (
        f"Against botocore with our settings it is {alike.text(2)} % above; with botocore's own settings our "
        f"functions take {validating.text()} times as much, and {frozen.text()} times when all that was "
        "there before is hidden from the garbage collector."
    )
    spoken = (
        f"Without logs and metrics an order takes {speaking.text()} times as much; reading the orders before "
        f"they are charged is {reading.median:.0%} of ours."
    )
    outside = f"Of our process's time, outside of botocore and its transport: {others}."
    return [total, strictly, spoken, outside]


_BELOW = frozenset({"botocore", "urllib3", "http and sockets"})
