"""Puts what was measured of the analytics API into tables and sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, number, quantile, ratio, ratios
from benchmarks.harness.targets import TargetResult

FIRST, DEEP = "page 1", "the last page"
FIRST_BY_OFFSET, DEEP_BY_OFFSET = "page 1 by OFFSET", "the last page by OFFSET"
MRR, RAW_MRR = "MRR from rollups", "MRR from subscriptions"
COHORTS, RAW_COHORTS = "cohorts from rollups", "cohorts from orders"
_CHARTED = ("orders", "one order", "MRR", "cohorts, by order", "summary", "by product")


@dataclass(frozen=True)
class Size:
    """All figures of one size. Times are milliseconds."""

    orders: int
    events: int
    pages: int
    answers: Mapping[str, list[float]]
    paging: Mapping[str, list[float]]
    ways: Mapping[str, list[float]]

    @property
    def deep(self) -> Spread:
        return ratio(self.paging[DEEP], self.paging[FIRST])

    @property
    def deep_by_offset(self) -> Spread:
        return ratio(self.paging[DEEP_BY_OFFSET], self.paging[FIRST_BY_OFFSET])

    @property
    def mrr(self) -> Spread:
        return ratio(self.ways[RAW_MRR], self.ways[MRR])

    @property
    def cohorts(self) -> Spread:
        return ratio(self.ways[RAW_COHORTS], self.ways[COHORTS])


def report(scale: Scale, sizes: Sequence[Size]) -> Report:
    largest = sizes[-1]
    savings = [
        Spread.interval(ratios(largest.ways[without], largest.ways[rollups]))
        for without, rollups in ((RAW_MRR, MRR), (RAW_COHORTS, COHORTS))
    ]
    return Report(
        name="analytics",
        title="Response times of the analytics API",
        question="How long does the API take to respond with a million orders stored? How much slower is a "
        "deep page than the first, and what do rollups save?",
        method=_how(scale, sizes),
        findings=_findings(sizes),
        tables=(_answers(sizes), _paging(sizes), _ways(sizes)),
        charts=(
            Chart(
                "Milliseconds to an answer, by orders",
                [number(it.orders) for it in sizes],
                {name: [quantile(it.answers[name], 0.5) for it in sizes] for name in _CHARTED},
                "orders",
                "ms, median",
            ),
            Chart(
                "Milliseconds to an answer, with rollups and without",
                [number(it.orders) for it in sizes],
                {name: [quantile(it.ways[name], 0.5) for it in sizes] for name in largest.ways},
                "orders",
                "ms, median",
                logarithmic=True,
            ),
        ),
        targets=(
            TargetResult(
                "deep-page",
                Spread.interval(ratios(largest.paging[DEEP], largest.paging[FIRST])),
                usual=f"{largest.deep_by_offset.text()} × (OFFSET)",
            ),
            TargetResult("rollups", min(savings, key=lambda spread: spread.median)),
        ),
        series={
            f"{number(it.orders)} orders: {name}, ms": series
            for it in sizes
            for name, series in {**it.answers, **it.paging, **it.ways}.items()
        },
    )


def _answers(sizes: Sequence[Size]) -> Table:
    rows = [
        (name, *(_quantiles(it.answers[name]) for it in sizes), _growth(name, sizes))
        for name in sizes[0].answers
    ]
    columns = ("question", *(f"{number(it.orders)} orders" for it in sizes), "largest / smallest")
    return Table(
        "Every question", columns, rows, "Milliseconds, p50 / p99; the last column compares medians."
    )


def _growth(name: str, sizes: Sequence[Size]) -> str:
    spread = ratio(sizes[-1].answers[name], sizes[0].answers[name])
    return f"{number(spread.median)} ×"


def _paging(sizes: Sequence[Size]) -> Table:
    rows = [
        (
            number(it.orders),
            number(it.pages),
            _quantiles(it.paging[FIRST]),
            _quantiles(it.paging[DEEP]),
            f"{it.deep.text()} ×",
            _quantiles(it.paging[FIRST_BY_OFFSET]),
            _quantiles(it.paging[DEEP_BY_OFFSET]),
        )
        for it in sizes
    ]
    columns = ("orders", "pages", FIRST, DEEP, "last / first", FIRST_BY_OFFSET, DEEP_BY_OFFSET)
    note = (
        "Milliseconds, p50 / p99, of pages of 100. By OFFSET: the statement alone, without the API around it."
    )
    return Table("Pages", columns, rows, note)


def _ways(sizes: Sequence[Size]) -> Table:
    rows = [
        (
            number(it.orders),
            _quantiles(it.ways[MRR]),
            _quantiles(it.ways[RAW_MRR]),
            f"{it.mrr.text()} ×",
            _quantiles(it.ways[COHORTS]),
            _quantiles(it.ways[RAW_COHORTS]),
            f"{it.cohorts.text()} ×",
        )
        for it in sizes
    ]
    columns = ("orders", MRR, RAW_MRR, "without / with", COHORTS, RAW_COHORTS, "without / with")
    note = "Milliseconds, p50 / p99. With rollups: up to the API's answer; without: the statement alone."
    return Table("With rollups and without", columns, rows, note)


def _quantiles(series: Sequence[float]) -> str:
    return f"{number(quantile(series, 0.5))} / {number(quantile(series, 0.99))}"


def _how(scale: Scale, sizes: Sequence[Size]) -> list[str]:
    laid = (
        "A made-up past of two years, laid down in bulk, a database for each size on one local PostgreSQL: "
        + "; ".join(f"{number(it.orders, 9)} orders told by {number(it.events, 9)} events" for it in sizes)
        + "."
    )
    asked = (
        "Questions go through the API's handler inside this process, as the gateway hands them over, by an "
        f"admin, {scale.pick(10, 200)} times each, all sizes in turns. Nothing is kept between them; MRR, "
        "churn and cohorts put each reading on record, as they are set up to."
    )
    paged = (
        "The cursor of the last page is sealed as the API does it, at the order where an OFFSET says that "
        f"the page before ends; the page is compared with what that OFFSET yields. "
        f"{scale.pick(10, 300)} pairs."
    )
    both = (
        "Without rollups, MRR compares each customer's subscriptions at the end of two months, and cohorts "
        "count the months with confirmed orders of each customer, 24 months of each; one statement each, "
        "as the API's role, under the same policies. Both ways have to give the same answer before they are "
        f"measured, {scale.pick(3, 15)} times in turns. Ours is measured with the answer made of its rows, "
        "theirs without."
    )
    return [laid, asked, paged, both]


def _findings(sizes: Sequence[Size]) -> list[str]:
    largest = sizes[-1]
    slowest = max(largest.answers, key=lambda name: quantile(largest.answers[name], 0.5))
    median, late = (quantile(largest.answers[slowest], share) for share in (0.5, 0.99))
    answers = (
        f"At {largest.orders:,} orders every question is answered in {number(median)} ms or less at the "
        f"median; the slowest, *{slowest}*, takes {number(late)} ms at the 99th percentile."
    )
    deep = (
        f"Page {largest.pages:,} of {largest.orders:,} orders takes {largest.deep.text()} times as long as "
        f"page 1; by OFFSET it takes {largest.deep_by_offset.text()} times as long."
    )
    rolled = (
        f"Without rollups MRR takes {largest.mrr.text()} times as long, and cohorts "
        f"{largest.cohorts.text()} times."
    )
    return [answers, deep, rolled]
