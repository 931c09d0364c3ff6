"""Compares ways to pack orders into transactions, in a model of concurrent workers."""

from collections.abc import Mapping
from itertools import product

from benchmarks.fixtures.contention_model import BATCH, TRANSACTION_SECONDS, Strategy, Tally, simulate
from benchmarks.harness.report import Report, Table
from benchmarks.harness.statistics import Scale, Spread
from benchmarks.harness.targets import TargetResult
from services.shared.transaction_planner import MAX_ACTIONS, MIXED_ACTIONS

FULL_PACKS = Strategy(f"up to {MAX_ACTIONS} actions, whole", MAX_ACTIONS, splits=False, until_deadline=False)
SPLIT_PACKS = Strategy(f"up to {MAX_ACTIONS}, split", MAX_ACTIONS, splits=True, until_deadline=True)
SMALL_PACKS = Strategy(f"up to {MIXED_ACTIONS}, split", MIXED_ACTIONS, splits=True, until_deadline=True)
NO_SHARING = Strategy("never shared", 2, splits=True, until_deadline=True)
STRATEGIES = (FULL_PACKS, SPLIT_PACKS, SMALL_PACKS, NO_SHARING)
WORKERS = (1, 5, 10, 20)
SKUS = (1, 10, 100, 1_000, 10_000)
_HOT = 1

Cells = Mapping[tuple[Strategy, int, int], list[Tally]]


def run(scale: Scale) -> Report:
    seeds, batches = scale.pick(1, 3), scale.pick(2, 4)
    workers = WORKERS if scale is Scale.FULL else WORKERS[-2:]
    cells = {
        (strategy, many, skus): [
            simulate(strategy, many, skus, batches=batches, seed=seed) for seed in range(seeds)
        ]
        for strategy, many, skus in product(STRATEGIES, workers, SKUS)
    }
    return _report(cells, seeds, batches)


def _report(cells: Cells, seeds: int, batches: int) -> Report:
    series = {
        f"{strategy.name}, {workers} workers, {skus} SKUs: handed back %": _handed_back(tallies)
        for (strategy, workers, skus), tallies in cells.items()
    }
    return Report(
        name="packing",
        title="Packing",
        question="Which orders should share a transaction, when several workers commit at once?",
        method=[
            (
                "A model in virtual time: the real planner, group commit and retries over a store whose "
                f"transactions take {TRANSACTION_SECONDS * 1_000:.0f} ms; of two transactions on one item "
                "at the same time the later one is cancelled, as in DynamoDB."
            ),
            (
                f"Every worker commits {batches} batches of {BATCH} orders without a pause, 16 calls in "
                f"flight. Each order takes one SKU, at random. {seeds} seeds for each cell."
            ),
            (
                "`whole` retries a cancelled transaction as it is, six times; `split` lets everything that "
                "touches no busy item go on, and retries the rest until the deadline of the invocation."
            ),
        ],
        findings=_findings(cells),
        tables=[_table(cells, figure) for figure in _FIGURES],
        targets=(
            TargetResult("handed-back", Spread.interval(_handed_back(cells[SMALL_PACKS, 10, 1_000]))),
            TargetResult("handed-back-hot", Spread.interval(_handed_back(cells[SMALL_PACKS, 20, _HOT]))),
        ),
        series=series,
    )


def _handed_back(tallies: list[Tally]) -> list[float]:
    return [100 * it.handed_back / it.orders for it in tallies]


def _calls(tallies: list[Tally]) -> list[float]:
    return [it.calls / it.orders for it in tallies]


def _rate(tallies: list[Tally]) -> list[float]:
    """Count what was committed: an order that was handed back is work for another second."""
    return [(it.orders - it.handed_back) / it.seconds for it in tallies]


def _slowest(tallies: list[Tally]) -> list[float]:
    return [max(it.batches) for it in tallies]


_FIGURES = {
    "Orders handed back, %": _handed_back,
    "Orders committed per second": _rate,
    "Transactions per order": _calls,
    "Slowest batch, s": _slowest,
}


def _table(cells: Cells, figure: str) -> Table:
    rows = {(workers, skus): None for _, workers, skus in cells}
    return Table(
        figure,
        ("workers", "SKUs", *(strategy.name for strategy in STRATEGIES)),
        [
            (
                str(workers),
                f"{skus:,}",
                *(
                    Spread.of(_FIGURES[figure](cells[strategy, workers, skus])).text()
                    for strategy in STRATEGIES
                ),
            )
            for workers, skus in rows
        ],
    )


def _findings(cells: Cells) -> list[str]:
    full, small = cells[FULL_PACKS, 10, 1_000], cells[SMALL_PACKS, 10, 1_000]
    alone = cells[NO_SHARING, 10, 1_000]
    return [
        (
            f"10 workers, 1,000 SKUs, none hot: {Spread.of(_handed_back(full)).text()} % of orders are "
            f"handed back when unrelated orders share transactions of {MAX_ACTIONS} actions, "
            f"{Spread.of(_handed_back(small)).text()} % when they share at most {MIXED_ACTIONS}."
        ),
        (
            f"Small shared transactions take {Spread.of(_calls(small)).text()} calls per order, against "
            f"{Spread.of(_calls(alone)).text()} when unrelated orders never share; DynamoDB bills items, "
            "not calls."
        ),
        (
            f"20 workers on one SKU: {Spread.of(_handed_back(cells[SMALL_PACKS, 20, _HOT])).text()} % "
            "handed back with retries until the deadline, "
            f"{Spread.of(_handed_back(cells[FULL_PACKS, 20, _HOT])).text()} % with six retries."
        ),
    ]
