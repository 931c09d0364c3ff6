"""Tables and sentences of the benchmark `analytics`. Pure."""

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
    responses: Mapping[str, list[float]]
    paging: Mapping[str, list[float]]
    comparisons: Mapping[str, list[float]]

    @property
    def deep(self) -> Spread:
        return ratio(self.paging[DEEP], self.paging[FIRST])

    @property
    def deep_by_offset(self) -> Spread:
        return ratio(self.paging[DEEP_BY_OFFSET], self.paging[FIRST_BY_OFFSET])

    @property
    def mrr(self) -> Spread:
        return ratio(self.comparisons[RAW_MRR], self.comparisons[MRR])

    @property
    def cohorts(self) -> Spread:
        return ratio(self.comparisons[RAW_COHORTS], self.comparisons[COHORTS])


def report(scale: Scale, sizes: Sequence[Size]) -> Report:
    largest = sizes[-1]
    savings = [
        Spread.interval(ratios(largest.comparisons[without], largest.comparisons[rollups]))
        for without, rollups in ((RAW_MRR, MRR), (RAW_COHORTS, COHORTS))
    ]
    return Report(
        name="analytics",
        title="Response times of the analytics API",
        question="How long does the API take to respond with a million orders stored? How much slower is a "
        "deep page than the first, and what do rollups save?",
        method=_method(scale, sizes),
        findings=_findings(sizes),
        tables=(_responses_table(sizes), _pages_table(sizes), _rollups_table(sizes)),
        charts=(
            Chart(
                "Response time by number of orders",
                [number(it.orders) for it in sizes],
                {name: [quantile(it.responses[name], 0.5) for it in sizes] for name in _CHARTED},
                "orders",
                "ms, median",
            ),
            Chart(
                "Response time with and without rollups",
                [number(it.orders) for it in sizes],
                {name: [quantile(it.comparisons[name], 0.5) for it in sizes] for name in largest.comparisons},
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
            for name, series in {**it.responses, **it.paging, **it.comparisons}.items()
        },
    )


def _responses_table(sizes: Sequence[Size]) -> Table:
    rows = [
        (name, *(_quantiles(it.responses[name]) for it in sizes), _growth(name, sizes))
        for name in sizes[0].responses
    ]
    columns = ("request", *(f"{number(it.orders)} orders" for it in sizes), "largest / smallest")
    return Table("Requests", columns, rows, "Milliseconds, p50 / p99; the last column compares medians.")


def _growth(name: str, sizes: Sequence[Size]) -> str:
    spread = ratio(sizes[-1].responses[name], sizes[0].responses[name])
    return f"{number(spread.median)} ×"


def _pages_table(sizes: Sequence[Size]) -> Table:
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
    note = "Milliseconds, p50 / p99, of pages of 100. By OFFSET: the statement alone, without the API."
    return Table("Pages", columns, rows, note)


def _rollups_table(sizes: Sequence[Size]) -> Table:
    rows = [
        (
            number(it.orders),
            _quantiles(it.comparisons[MRR]),
            _quantiles(it.comparisons[RAW_MRR]),
            f"{it.mrr.text()} ×",
            _quantiles(it.comparisons[COHORTS]),
            _quantiles(it.comparisons[RAW_COHORTS]),
            f"{it.cohorts.text()} ×",
        )
        for it in sizes
    ]
    columns = ("orders", MRR, RAW_MRR, "without / with", COHORTS, RAW_COHORTS, "without / with")
    note = "Milliseconds, p50 / p99. With rollups: the API's response; without: the statement alone."
    return Table("With and without rollups", columns, rows, note)


def _quantiles(series: Sequence[float]) -> str:
    return f"{number(quantile(series, 0.5))} / {number(quantile(series, 0.99))}"


def _method(scale: Scale, sizes: Sequence[Size]) -> list[str]:
    loaded = "; ".join(f"{number(it.orders, 9)} orders with {number(it.events, 9)} events" for it in sizes)
    return [
        (
            "Demo data of two years, bulk-loaded, one database for each size on one local PostgreSQL: "
            f"{loaded}."
        ),
        (
            "Requests go through the API's handler in this process, in the gateway's format, as an admin, "
            f"{scale.pick(10, 200)} times each, all sizes in turns. Nothing is cached between them; MRR, "
            "churn and cohorts write an audit record for each read, as deployed."
        ),
        (
            "The cursor of the last page is sealed as by the API, at the order where the OFFSET of the page "
            "before ends; the page must equal the one that OFFSET returns. "
            f"{scale.pick(10, 300)} pairs."
        ),
        (
            "Without rollups, MRR compares each customer's subscriptions at the end of two months, and "
            "cohorts count each customer's months with confirmed orders over 24 months; one statement each, "
            "in the API's role, under the same policies. Both must return the same result before they are "
            f"measured, {scale.pick(3, 15)} times in turns. Ours includes building the response from its "
            "rows; the statement without rollups does not."
        ),
    ]


def _findings(sizes: Sequence[Size]) -> list[str]:
    largest = sizes[-1]
    slowest = max(largest.responses, key=lambda name: quantile(largest.responses[name], 0.5))
    median, late = (quantile(largest.responses[slowest], share) for share in (0.5, 0.99))
    return [
        (
            f"At {largest.orders:,} orders every request is answered in {number(median)} ms or less at the "
            f"median; the slowest, *{slowest}*, takes {number(late)} ms at the 99th percentile."
        ),
        (
            f"Page {largest.pages:,} of {largest.orders:,} orders takes {largest.deep.text()} times as long "
            f"as page 1; by OFFSET it takes {largest.deep_by_offset.text()} times as long."
        ),
        (
            f"Without rollups MRR takes {largest.mrr.text()} times as long, and cohorts "
            f"{largest.cohorts.text()} times."
        ),
    ]
