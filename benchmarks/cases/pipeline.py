"""Orders through the whole local stack at a rising load, beside the usual way of one order at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from benchmarks.fixtures.order_load import Level, Running, running
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, number, quantile, ratio

_HOT = ["sku-hot"]
_SPREAD = [f"sku-{n:04}" for n in range(1_000)]
_FIRST_RATE = 25
_MOST_DOUBLINGS = 7
_KEEPS_UP = 0.8
"""A load is more than the stack can take when fewer than this share of it settle in time."""


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    batch: int | None
    skus: Sequence[str]


_OURS = _Way("ours, 1,000 SKUs", None, _SPREAD)
_OURS_HOT = _Way("ours, one SKU", None, _HOT)
_USUAL = _Way("one at a time, 1,000 SKUs", 1, _SPREAD)
_USUAL_HOT = _Way("one at a time, one SKU", 1, _HOT)
_WAYS = (_OURS, _USUAL, _OURS_HOT, _USUAL_HOT)

Levels = Mapping[str, list[list[Level]]]
"""For each way, the levels of each repetition, from the lowest load to the first that was too much."""


def run(scale: Scale) -> Report:
    ways = _WAYS[:2] if scale is Scale.QUICK else _WAYS
    levels: dict[str, list[list[Level]]] = {way.name: [] for way in ways}
    runs = count()
    with running() as stack:
        stack.stock([*_HOT, *_SPREAD])
        for repetition in range(scale.pick(1, 2)):
            for way in ways[:: -1 if repetition % 2 else 1]:
                levels[way.name].append(_rising(stack, way, runs, scale.pick(2, 3)))
    return _report(scale, levels)


def _rising(stack: Running, way: _Way, runs: "count[int]", seconds: int) -> list[Level]:
    stack.batches(way.batch)
    stack.under(f"pipe-{next(runs):04}", 20, 2, way.skus)  # the first ones find the functions cold
    levels: list[Level] = []
    rate = float(_FIRST_RATE)
    for _ in range(_MOST_DOUBLINGS):
        levels.append(stack.under(f"pipe-{next(runs):04}", rate, seconds, way.skus))
        if levels[-1].settled < _KEEPS_UP * _possible(levels[-1], seconds):
            break
        rate *= 2
    return levels


def _possible(level: Level, seconds: int) -> float:
    """The rate at which a load of these seconds settles whose last order takes a second."""
    return level.wanted * seconds / (seconds + 1)


def _report(scale: Scale, levels: Levels) -> Report:
    best = {name: [max(it.settled for it in one) for one in rises] for name, rises in levels.items()}
    return Report(
        name="pipeline",
        title="The pipeline under rising load",
        question="How many orders a second does the local stack settle, and how long does an order take? How "
        "do both change when the same functions receive one order at a time?",
        method=_how(scale),
        findings=_findings(levels, best),
        tables=(
            Table(
                "At most",
                ("way", "orders/s settled"),
                [(name, Spread.of(rates).text()) for name, rates in best.items()],
            ),
            *(_table(name, rises) for name, rises in levels.items()),
        ),
        charts=(
            Chart(
                "Orders settled a second, by orders published a second",
                [number(it.wanted) for it in _longest(levels)],
                {
                    name: [_settled(rises, it.wanted) for it in _longest(levels)]
                    for name, rises in levels.items()
                },
                "published, orders/s",
                "settled, orders/s",
            ),
            Chart(
                "Seconds from placed to settled, 99th percentile",
                [number(it.wanted) for it in _longest(levels)],
                {name: [_p99(rises, it.wanted) for it in _longest(levels)] for name, rises in levels.items()},
                "published, orders/s",
                "seconds",
                logarithmic=True,
            ),
        ),
        series={
            f"{name}, repetition {n}, at {level.wanted:g}/s: seconds to settle": level.seconds
            for name, rises in levels.items()
            for n, rise in enumerate(rises)
            for level in rise
        },
    )


def _at(rises: Sequence[Sequence[Level]], wanted: float) -> list[Level]:
    return [level for rise in rises for level in rise if level.wanted == wanted]


def _settled(rises: Sequence[Sequence[Level]], wanted: float) -> float | None:
    there = _at(rises, wanted)
    return Spread.of([it.settled for it in there]).median if there else None


def _p99(rises: Sequence[Sequence[Level]], wanted: float) -> float | None:
    there = _at(rises, wanted)
    return Spread.of([quantile(it.seconds, 0.99) for it in there]).median if there else None


def _longest(levels: Levels) -> list[Level]:
    return max((rise for rises in levels.values() for rise in rises), key=len)


def _table(name: str, rises: Sequence[Sequence[Level]]) -> Table:
    rows = []
    for level in max(rises, key=len):
        there = _at(rises, level.wanted)
        rows.append(
            (
                number(level.wanted),
                Spread.of([it.offered for it in there]).text(),
                Spread.of([it.settled for it in there]).text(),
                Spread.of([quantile(it.seconds, 0.5) for it in there]).text(),
                Spread.of([quantile(it.seconds, 0.99) for it in there]).text(),
                f"{Spread.of([it.emulator for it in there]).median:.0%}",
                f"{Spread.of([it.functions for it in there]).median:.0%}",
            )
        )
    columns = ("wanted/s", "published/s", "settled/s", "p50 s", "p99 s", "emulator", "functions")
    note = "Seconds from placed to settled; processors in parts of one core."
    return Table(name[0].upper() + name[1:], columns, rows, note)


def _how(scale: Scale) -> list[str]:
    load = (
        f"A local stack of its own. Orders of one unit are published for {scale.pick(2, 3)} s at "
        f"{_FIRST_RATE}/s, and at twice that and so on, until less than {_KEEPS_UP:.0%} of them settle "
        "within a second of the last."
    )
    read = (
        "Placed is what the publisher wrote into the order, settled is when its last transition was made: "
        "both are read from the stored orders. A rate settled counts from the first placed to the last "
        "settled."
    )
    usual = (
        "*One at a time* is the same stack, whose two functions are handed batches of 1 without a window: a "
        "transaction for each order, twice. As many copies run side by side as before (two on two cores)."
    )
    shared = (
        "Publisher, emulator and functions share this machine's cores, so that the rates say what this "
        "machine does and not what AWS does. The emulator does not wait for a batching window: it hands over "
        "what is there, so that batches fill as load rises, and a lone order does not wait its "
        "second. Nor does it refuse a transaction for a rival one: on AWS one order at a time on one SKU "
        "would fare worse."
    )
    turns = f"The ways in turns, {scale.pick(1, 2)} repetitions."
    return [load, read, usual, shared, turns]


def _findings(levels: Levels, best: Mapping[str, list[float]]) -> list[str]:
    found = []
    for ours, usual in ((_OURS, _USUAL), (_OURS_HOT, _USUAL_HOT)):
        if ours.name not in best:
            continue
        gain = ratio(best[ours.name], best[usual.name])
        found.append(
            f"With orders over {ours.name.partition(', ')[2]} the stack settles at most "
            f"{Spread.of(best[ours.name]).text()} a second, {gain.text()} times what it does one at a time."
        )
    if _OURS_HOT.name in best:
        hot = ratio(best[_OURS_HOT.name], best[_OURS.name])
        found.append(f"All orders on one SKU settle {hot.text()} times as fast as over 1,000 SKUs.")
    low = _at(levels[_OURS.name], _FIRST_RATE)
    usual_low = _at(levels[_USUAL.name], _FIRST_RATE)
    found.append(
        f"At {_FIRST_RATE} orders a second half of them are settled in {_middle(low)} s, one at a time in "
        f"{_middle(usual_low)} s."
    )
    top = max((it for rise in levels[_OURS.name] for it in rise), key=lambda it: it.settled)
    found.append(
        f"Where ours settles most, the emulator keeps {top.emulator:.0%} of a core busy and the functions "
        f"{top.functions:.0%}."
    )
    return found


def _middle(there: Sequence[Level]) -> str:
    return number(Spread.of([quantile(it.seconds, 0.5) for it in there]).median)
