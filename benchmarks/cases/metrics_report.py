"""Puts what was measured of the metrics into tables and sentences. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.fixtures.cloudwatch_bill import month
from benchmarks.fixtures.metrics_service import Work
from benchmarks.harness.report import Table
from benchmarks.harness.statistics import Scale, number, quantile, ratio

INTERVALS = (15, 30, 60, 300)
"""Seconds between scrapes."""


@dataclass(frozen=True)
class Measured:
    """All figures of one size. Times are milliseconds."""

    work: Work
    times: Mapping[str, list[float]]
    peak: float
    page_bytes: Mapping[str, int]
    ledger_bytes: int
    parts: Mapping[str, int]

    @property
    def series(self) -> int:
        return self.work.series

    def quantiles(self, name: str) -> str:
        return f"{number(quantile(self.times[name], 0.5))} / {number(quantile(self.times[name], 0.99))}"


def rendering(measured: Sequence[Measured]) -> Table:
    rows = [
        (
            number(it.series),
            it.quantiles("render"),
            it.quantiles("text writer"),
            it.quantiles("openmetrics writer"),
            f"{ratio(it.times['render'], it.times['writers alone']).text()} ×",
            it.quantiles("compress"),
            it.quantiles("encode"),
            it.quantiles("decode"),
            f"{number(it.peak)} MB",
        )
        for it in measured
    ]
    columns = (
        "series",
        "render both pages",
        "text writer alone",
        "OpenMetrics writer alone",
        "render / both writers",
        "compressing",
        "encode snapshot",
        "decode snapshot",
        "peak memory",
    )
    return Table("Rendering, once a minute", columns, rows, "Milliseconds of processor time, p50 / p99.")


def scraping(measured: Sequence[Measured]) -> Table:
    names = (
        "scrape",
        "scrape, new version",
        "scrape, not compressed",
        "scrape from DynamoDB",
        "scrape from DynamoDB, new version",
    )
    rows = [(number(it.series), *map(it.quantiles, names)) for it in measured]
    return Table("Answering a scrape", ("series", *names), rows, "Milliseconds, p50 / p99.")


def storage(measured: Sequence[Measured]) -> Table:
    rows = [
        (
            number(it.series),
            *(f"{number(size / 1_024)} KB" for size in (*it.page_bytes.values(), it.ledger_bytes)),
            str(sum(it.parts.values())),
            ", ".join(f"{name} {count}" for name, count in it.parts.items()),
        )
        for it in measured
    ]
    return Table(
        "What is kept in DynamoDB",
        ("series", *(f"{name} page" for name in measured[0].page_bytes), "ledger", "items", "of which"),
        rows,
        "Compressed. An item takes 350 KB of them; a version more or less stays a minute longer.",
    )


def bill(sizes: Sequence[int], asked: Sequence[tuple[float, float]]) -> Table:
    rows = [
        (
            number(size),
            f"{number(idle)} / {number(busy)}",
            f"${month(idle, 60):,.0f} / ${month(busy, 60):,.0f}",
            *(f"${month(size, seconds):,.0f} / ${month(size, seconds, 2):,.0f}" for seconds in INTERVALS),
        )
        for size, (idle, busy) in zip(sizes, asked, strict=True)
    ]
    columns = (
        "series",
        "metrics we ask for a minute, idle / busy",
        "ours, any number of servers, any interval: idle / busy",
        *(f"at every scrape, {seconds} s: 1 / 2 servers" for seconds in INTERVALS),
    )
    return Table("CloudWatch, dollars a month", columns, rows, "The first row is the deployment as it is.")


def how(scale: Scale) -> list[str]:
    made_up = (
        "A made-up deployment with as many consumers as it takes for that many series, busy for an hour: "
        "each counter has a value in each of its 60 open minutes."
    )
    rendered = (
        "Pages are rendered by the collector, once a minute, in both formats and compressed; a scrape finds "
        "them ready. *Writers alone* is prometheus-client's `generate_latest` over the same numbers, "
        "without compression."
    )
    scraped = (
        "A scrape in memory is our code alone: token, negotiation, page, base64. A scrape from DynamoDB "
        "reads the head from the emulator as it would on AWS, so its time is mostly the emulator's."
    )
    billed = (
        "Requested metrics are counted by having the real collector collect from a CloudWatch in which "
        "nothing moves (idle) or everything moves each minute (busy). A month has 30 days; a thousand "
        "metrics cost $0.01."
    )
    repeated = f"{scale.pick(5, 100)} repetitions of each piece in turns, {scale.pick(30, 300)} scrapes."
    return [made_up, rendered, scraped, billed, repeated]


def findings(
    target: Measured, sizes: Sequence[int], asked: Sequence[tuple[float, float]], calls: Mapping[str, int]
) -> list[str]:
    scrapes = [*target.times["scrape"], *target.times["scrape, new version"]]
    render, both = target.times["render"], ratio(target.times["render"], target.times["writers alone"])
    shares = {
        name: ratio(target.times[name], render).median
        for name in ("openmetrics writer", "text writer", "compress")
    }
    (idle, busy), (_, most) = asked[0], asked[-1]
    two = month(sizes[0], 30, 2)
    scraped = (
        f"At {target.series:,} series a scrape takes {number(quantile(scrapes, 0.5))} ms at the median and "
        f"{number(quantile(scrapes, 0.99))} ms at the 99th percentile, and asks CloudWatch "
        f"{calls['cloudwatch']} times."
    )
    rendered = (
        f"The collector renders both formats in {number(quantile(render, 0.5))} ms (p99 "
        f"{number(quantile(render, 0.99))} ms), {both.text()} times what prometheus-client's writers take by "
        f"themselves. Its OpenMetrics writer is {shares['openmetrics writer']:.0%} of it, its text writer "
        f"{shares['text writer']:.0%}, compression {shares['compress']:.0%}."
    )
    as_it_is = (
        f"The deployment as it is has {sizes[0]} series: CloudWatch bills ${month(idle, 60):,.0f} a month "
        f"when nothing moves and ${month(busy, 60):,.0f} when everything does. Asked at every scrape by two "
        f"servers every 30 s, it would be ${two:,.0f}, {number(two / month(busy, 60))} times as much."
    )
    large = (
        f"At {sizes[-1]:,} series ours is ${month(most, 60):,.0f} a month, however many servers scrape and "
        f"however often; asked at every scrape by two servers every 15 s it is "
        f"${month(sizes[-1], 15, 2):,.0f}. Only scraping less than once a minute would cost less: "
        f"${month(sizes[-1], 300):,.0f} by one server every 300 s."
    )
    return [scraped, rendered, as_it_is, large]
