"""Measures the local stack under rising load, with batches and with one order at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from benchmarks.fixtures.order_load import Level, StackFixture, stack_fixture
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, number, quantile, ratio

_HOT = ["sku-hot"]
_SPREAD = [f"sku-{n:04}" for n in range(1_000)]
_FIRST_RATE = 25
_MOST_DOUBLINGS = 7
_SETTLED_SHARE = 0.8
"""The stack is overloaded when a smaller share of the orders settles in time."""


@dataclass(frozen=True, slots=True)
class _Variant:
    name: str
    batch: int | None
    skus: Sequence[str]


_OURS = _Variant("ours, 1,000 SKUs", None, _SPREAD)
_OURS_HOT = _Variant("ours, one SKU", None, _HOT)
_ONE_AT_A_TIME = _Variant("one at a time, 1,000 SKUs", 1, _SPREAD)
_ONE_AT_A_TIME_HOT = _Variant("one at a time, one SKU", 1, _HOT)
_VARIANTS = (_OURS, _ONE_AT_A_TIME, _OURS_HOT, _ONE_AT_A_TIME_HOT)

Levels = Mapping[str, list[list[Level]]]
"""For each variant, the levels of each repetition, from the lowest load to the first overload."""


def run(scale: Scale) -> Report:
    variants = _VARIANTS[:2] if scale is Scale.QUICK else _VARIANTS
    levels: dict[str, list[list[Level]]] = {variant.name: [] for variant in variants}
    runs = count()
    with stack_fixture() as stack:
        stack.stock([*_HOT, *_SPREAD])
        for repetition in range(scale.pick(1, 2)):
            for variant in variants[:: -1 if repetition % 2 else 1]:
                levels[variant.name].append(_measure_levels(stack, variant, runs, scale.pick(2, 3)))
    return _report(scale, levels)


def _measure_levels(stack: StackFixture, variant: _Variant, runs: "count[int]", seconds: int) -> list[Level]:
    stack.batches(variant.batch)
    stack.apply_load(f"pipe-{next(runs):04}", 20, 2, variant.skus)  # warms the functions up
    levels: list[Level] = []
    rate = float(_FIRST_RATE)
    for _ in range(_MOST_DOUBLINGS):
        levels.append(stack.apply_load(f"pipe-{next(runs):04}", rate, seconds, variant.skus))
        if levels[-1].settled_rate < _SETTLED_SHARE * _possible(levels[-1], seconds):
            break
        rate *= 2
    return levels


def _possible(level: Level, seconds: int) -> float:
    """The settled rate of a load of so many seconds whose last order takes a second."""
    return level.target_rate * seconds / (seconds + 1)


def _report(scale: Scale, levels: Levels) -> Report:
    best = {
        name: [max(it.settled_rate for it in one) for one in series_of_levels]
        for name, series_of_levels in levels.items()
    }
    return Report(
        name="pipeline",
        title="The pipeline under rising load",
        question="How many orders a second does the local stack settle, and how long does an order take? How "
        "do both change when the same functions receive one order at a time?",
        method=_method(scale),
        findings=_findings(levels, best),
        tables=(
            Table(
                "Highest rate",
                ("variant", "orders/s settled"),
                [(name, Spread.of(rates).text()) for name, rates in best.items()],
            ),
            *(_table(name, series_of_levels) for name, series_of_levels in levels.items()),
        ),
        charts=(
            Chart(
                "Orders settled per second by orders published per second",
                [number(it.target_rate) for it in _longest(levels)],
                {
                    name: [_settled(series_of_levels, it.target_rate) for it in _longest(levels)]
                    for name, series_of_levels in levels.items()
                },
                "published, orders/s",
                "settled, orders/s",
            ),
            Chart(
                "Seconds from placed to settled, 99th percentile",
                [number(it.target_rate) for it in _longest(levels)],
                {
                    name: [_p99(series_of_levels, it.target_rate) for it in _longest(levels)]
                    for name, series_of_levels in levels.items()
                },
                "published, orders/s",
                "seconds",
                logarithmic=True,
            ),
        ),
        series={
            f"{name}, repetition {n}, at {level.target_rate:g}/s: seconds to settle": level.seconds
            for name, series_of_levels in levels.items()
            for n, rise in enumerate(series_of_levels)
            for level in rise
        },
    )


def _at(series_of_levels: Sequence[Sequence[Level]], target_rate: float) -> list[Level]:
    return [level for rise in series_of_levels for level in rise if level.target_rate == target_rate]


def _settled(series_of_levels: Sequence[Sequence[Level]], target_rate: float) -> float | None:
    there = _at(series_of_levels, target_rate)
    return Spread.of([it.settled_rate for it in there]).median if there else None


def _p99(series_of_levels: Sequence[Sequence[Level]], target_rate: float) -> float | None:
    there = _at(series_of_levels, target_rate)
    return Spread.of([quantile(it.seconds, 0.99) for it in there]).median if there else None


def _longest(levels: Levels) -> list[Level]:
    return max((rise for series_of_levels in levels.values() for rise in series_of_levels), key=len)


def _table(name: str, series_of_levels: Sequence[Sequence[Level]]) -> Table:
    rows = []
    for level in max(series_of_levels, key=len):
        there = _at(series_of_levels, level.target_rate)
        rows.append(
            (
                number(level.target_rate),
                Spread.of([it.published_rate for it in there]).text(),
                Spread.of([it.settled_rate for it in there]).text(),
                Spread.of([quantile(it.seconds, 0.5) for it in there]).text(),
                Spread.of([quantile(it.seconds, 0.99) for it in there]).text(),
                f"{Spread.of([it.emulator for it in there]).median:.0%}",
                f"{Spread.of([it.functions for it in there]).median:.0%}",
            )
        )
    columns = ("target/s", "published/s", "settled/s", "p50 s", "p99 s", "emulator CPU", "functions CPU")
    note = "Seconds from placed to settled; CPU as a share of one core."
    return Table(name[0].upper() + name[1:], columns, rows, note)


def _method(scale: Scale) -> list[str]:
    return [
        (
            f"A separate local stack. Orders of one unit are published for {scale.pick(2, 3)} s at "
            f"{_FIRST_RATE}/s, and the rate doubles until less than {_SETTLED_SHARE:.0%} of the orders "
            "settle within a second of the last."
        ),
        (
            "Placed is the time that the publisher writes into the order; settled is its last transition. "
            "Both are read from the stored orders. The settled rate counts from the first placed to the "
            "last settled."
        ),
        (
            "*One at a time* is the same stack with batches of 1 and no batching window: two transactions "
            "per order. The concurrency of the functions is the same (two on two cores)."
        ),
        (
            "Publisher, emulator and functions share this machine's cores: the rates describe this machine, "
            "not AWS. The emulator has no batching window and delivers what is queued, so batches fill as "
            "load rises and a single order does not wait a second. It detects no transaction conflicts "
            "either: on AWS, one order at a time on one SKU would be slower."
        ),
        f"The variants in turns, {scale.pick(1, 2)} repetitions.",
    ]


def _findings(levels: Levels, best: Mapping[str, list[float]]) -> list[str]:
    found = []
    for ours, usual in ((_OURS, _ONE_AT_A_TIME), (_OURS_HOT, _ONE_AT_A_TIME_HOT)):
        if ours.name not in best:
            continue
        gain = ratio(best[ours.name], best[usual.name])
        found.append(
            f"With orders over {ours.name.partition(', ')[2]} the stack settles up to "
            f"{Spread.of(best[ours.name]).text()} a second, {gain.text()} times the rate of one at a time."
        )
    if _OURS_HOT.name in best:
        hot = ratio(best[_OURS_HOT.name], best[_OURS.name])
        found.append(f"Orders on one SKU settle {hot.text()} times as fast as orders over 1,000 SKUs.")
    low = _at(levels[_OURS.name], _FIRST_RATE)
    usual_low = _at(levels[_ONE_AT_A_TIME.name], _FIRST_RATE)
    found.append(
        f"At {_FIRST_RATE} orders a second the median order settles in {_middle(low)} s, one at a time in "
        f"{_middle(usual_low)} s."
    )
    top = max((it for rise in levels[_OURS.name] for it in rise), key=lambda it: it.settled_rate)
    found.append(
        f"At the highest rate the emulator uses {top.emulator:.0%} of a core and the functions use "
        f"{top.functions:.0%}."
    )
    return found


def _middle(there: Sequence[Level]) -> str:
    return number(Spread.of([quantile(it.seconds, 0.5) for it in there]).median)
