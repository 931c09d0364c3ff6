"""Tables and sentences of the benchmark `metrics`. Pure."""

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
        "compression",
        "encode snapshot",
        "decode snapshot",
        "peak memory",
    )
    return Table("Rendering, once a minute", columns, rows, "Milliseconds of CPU time, p50 / p99.")


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
        "Storage in DynamoDB",
        ("series", *(f"{name} page" for name in measured[0].page_bytes), "ledger", "items", "of which"),
        rows,
        "Compressed. An item holds up to 350 KB; the previous version stays a minute longer.",
    )


def bill(sizes: Sequence[int], requested: Sequence[tuple[float, float]]) -> Table:
    rows = [
        (
            number(size),
            f"{number(idle)} / {number(busy)}",
            f"${month(idle, 60):,.0f} / ${month(busy, 60):,.0f}",
            *(f"${month(size, seconds):,.0f} / ${month(size, seconds, 2):,.0f}" for seconds in INTERVALS),
        )
        for size, (idle, busy) in zip(sizes, requested, strict=True)
    ]
    columns = (
        "series",
        "metrics requested per minute, idle / busy",
        "ours, any number of servers, any interval: idle / busy",
        *(f"at every scrape, {seconds} s: 1 / 2 servers" for seconds in INTERVALS),
    )
    return Table("CloudWatch, dollars a month", columns, rows, "The first row is the current deployment.")


def method(scale: Scale) -> list[str]:
    return [
        (
            "A synthetic deployment with as many consumers as give so many series, busy for an hour: each "
            "counter has a value in each of its 60 open minutes."
        ),
        (
            "The collector renders both formats once a minute and compresses them; a scrape reads the "
            "finished page. *Writers alone* is prometheus-client's `generate_latest` over the same numbers, "
            "without compression."
        ),
        (
            "A scrape in memory is our code alone: token, negotiation, page, base64. A scrape from DynamoDB "
            "reads the head from the emulator, so its time is mostly the emulator's."
        ),
        (
            "Requested metrics are counted with the real collector and a CloudWatch in which no series "
            "(idle) or every series (busy) changes each minute. A month has 30 days; 1,000 metrics cost "
            "$0.01."
        ),
        f"{scale.pick(5, 100)} repetitions of each step in turns, {scale.pick(30, 300)} scrapes.",
    ]


def findings(
    target: Measured, sizes: Sequence[int], requested: Sequence[tuple[float, float]], calls: Mapping[str, int]
) -> list[str]:
    scrapes = [*target.times["scrape"], *target.times["scrape, new version"]]
    render, both = target.times["render"], ratio(target.times["render"], target.times["writers alone"])
    shares = {
        name: ratio(target.times[name], render).median
        for name in ("openmetrics writer", "text writer", "compress")
    }
    (idle, busy), (_, most) = requested[0], requested[-1]
    two = month(sizes[0], 30, 2)
    return [
        (
            f"At {target.series:,} series a scrape takes {number(quantile(scrapes, 0.5))} ms at the median "
            f"and {number(quantile(scrapes, 0.99))} ms at the 99th percentile, with {calls['cloudwatch']} "
            "CloudWatch calls."
        ),
        (
            f"The collector renders both formats in {number(quantile(render, 0.5))} ms (p99 "
            f"{number(quantile(render, 0.99))} ms), {both.text()} times the time of prometheus-client's "
            f"writers. The OpenMetrics writer is {shares['openmetrics writer']:.0%} of it, the text writer "
            f"{shares['text writer']:.0%}, compression {shares['compress']:.0%}."
        ),
        (
            f"The current deployment has {sizes[0]} series: CloudWatch bills ${month(idle, 60):,.0f} a "
            f"month when idle and ${month(busy, 60):,.0f} when busy. Queried at every scrape by two servers "
            f"every 30 s, it would be ${two:,.0f}, {number(two / month(busy, 60))} times as much."
        ),
        (
            f"At {sizes[-1]:,} series ours costs ${month(most, 60):,.0f} a month for any number of servers "
            "and any interval; queried at every scrape by two servers every 15 s it is "
            f"${month(sizes[-1], 15, 2):,.0f}. Only scraping less than once a minute would cost less: "
            f"${month(sizes[-1], 300):,.0f} for one server every 300 s."
        ),
    ]
