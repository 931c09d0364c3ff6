"""What rendering and scraping the metrics takes, and what CloudWatch bills for it."""

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.cases import metrics_report as told
from benchmarks.fixtures.cloudwatch_bill import deployment_of, month, requested_a_minute
from benchmarks.fixtures.emulator import Emulated, emulated
from benchmarks.fixtures.metrics_service import NOW, MemoryShelf, Work, milliseconds, peak_megabytes, scraper
from benchmarks.harness.report import Chart, Report
from benchmarks.harness.statistics import Scale, Spread, alternate, number, quantile
from benchmarks.harness.targets import TargetResult
from scripts.environment.lambda_env import LambdaEnvInputs, variables
from scripts.environment.topology import Names, Topology
from services.metrics.adapters.dynamodb_snapshots import DynamoDBSnapshots
from services.metrics.deployed_resources import Deployment
from services.metrics.settings import CollectorSettings
from services.metrics.snapshot import Format, Snapshot
from services.shared.adapters.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZES = (500, 5_000, 20_000)
_TARGET_SIZE = 5_000


def run(scale: Scale) -> Report:
    with emulated() as aws:
        table = aws.table("bench-metrics")
        measured = [_measure(size, scale, aws, table) for size in _SIZES]
        calls = _calls_of_a_scrape(table)
    default = _default_deployment()
    deployments = [default, *(it.work.deployment for it in measured)]
    asked = [(requested_a_minute(it, busy=False), requested_a_minute(it, busy=True)) for it in deployments]
    sizes = [Work.of(default).series, *(it.series for it in measured)]
    target = next(it for it, size in zip(measured, _SIZES, strict=True) if size == _TARGET_SIZE)
    scrapes = [*target.times["scrape"], *target.times["scrape, new version"]]
    return Report(
        name="metrics",
        title="Metrics: rendering, scraping, and the CloudWatch bill",
        question="How long do rendering and a scrape take, how much is stored, and what does CloudWatch bill "
        "for it, compared with an exporter that queries CloudWatch on every scrape?",
        method=told.how(scale),
        findings=told.findings(target, sizes, asked, calls),
        tables=(
            told.rendering(measured),
            told.scraping(measured),
            told.storage(measured),
            told.bill(sizes, asked),
        ),
        charts=(
            Chart(
                "Time at the median, by number of series",
                [number(it.series) for it in measured],
                {
                    name: [quantile(it.times[name], 0.5) for it in measured]
                    for name in ("render", "writers alone", "scrape", "scrape, new version", "decode")
                },
                "series",
                "ms",
                logarithmic=True,
            ),
            Chart(
                "Dollars a month, two Prometheus servers, a busy deployment",
                [number(size) for size in sizes],
                {
                    "ours, at any interval": [month(busy, 60) for _, busy in asked],
                    **{
                        f"asking at every scrape, {seconds} s": [month(size, seconds, 2) for size in sizes]
                        for seconds in told.INTERVALS
                    },
                },
                "series",
                "dollars",
                logarithmic=True,
            ),
        ),
        targets=(
            TargetResult(
                "render",
                Spread.interval(target.times["render"], 0.99),
                lower_bound=f"{number(quantile(target.times['writers alone'], 0.99))} ms",
            ),
            TargetResult("scrape", Spread.interval(scrapes, 0.99)),
            TargetResult("scrape-calls", Spread.of([float(calls["cloudwatch"])]), usual="1 per 500 series"),
        ),
        series={
            f"{it.series} series: {name}, ms": values for it in measured for name, values in it.times.items()
        },
    )


def _measure(size: int, scale: Scale, aws: Emulated, table: str) -> told.Measured:
    work = Work.of(deployment_of(size))
    encoded = work.snapshot.encoded()
    pages, writers = work.rendering.pages(), work.writers()
    pieces: dict[str, Callable[[], object]] = {
        "render": work.rendering.pages,
        "writers alone": lambda: [write() for write in writers.values()],
        "text writer": writers[Format.TEXT],
        "openmetrics writer": writers[Format.OPENMETRICS],
        "compress": work.compressing(),
        "encode": work.snapshot.encoded,
        "decode": partial(Snapshot.decoded, encoded),
    }
    # What only computes is measured in processor time: its p99 is ours then, and not the neighbours'.
    times = alternate(
        {name: partial(milliseconds, it, time.thread_time) for name, it in pieces.items()},
        scale.pick(5, 100) if size <= _TARGET_SIZE else scale.pick(2, 20),
    )
    shelf = MemoryShelf(work.snapshot, pages)
    warm, plain = scraper(shelf), scraper(shelf, compressed=False)
    kept = DynamoDBSnapshots(Clients().dynamodb(), table=table, clock=lambda: NOW)
    _store(kept, work)
    stored = scraper(kept)

    def newer() -> object:
        shelf.version += 1
        return warm()

    times |= alternate(
        {
            "scrape": partial(milliseconds, warm),
            "scrape, new version": partial(milliseconds, newer),
            "scrape, not compressed": partial(milliseconds, plain),
            "scrape from DynamoDB": partial(milliseconds, stored),
            "scrape from DynamoDB, new version": lambda: milliseconds(scraper(kept)),
        },
        scale.pick(30, 300),
    )
    return told.Measured(
        work,
        times,
        peak_megabytes(work.rendering.pages),
        {str(form): len(page) for form, page in pages.items()},
        len(encoded),
        _parts(aws, table),
    )


def _store(kept: DynamoDBSnapshots, work: Work) -> None:
    before = kept.load()
    version = before.version + 1 if before else 1
    after = Snapshot(version, NOW, work.snapshot.ledger, work.snapshot.tally)
    if not kept.replace(before, after, work.rendering.pages()):
        raise RuntimeError("the snapshot was not taken")


def _parts(aws: Emulated, table: str) -> dict[str, int]:
    """How many items the newest edition of each document takes."""
    head = aws.clients.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "head"}})["Item"]
    return {name: len(parts["L"]) for name, parts in head["parts"]["M"].items()}


def _calls_of_a_scrape(table: str) -> Counter[str]:
    """Count the calls that scrapes make, by service, at every client the exposition is given."""
    calls: Counter[str] = Counter(cloudwatch=0)

    def seen(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
        calls[model.service_model.service_name] += 1

    dynamodb = Clients().dynamodb()
    dynamodb.meta.events.register("before-call", seen)
    scrape = scraper(DynamoDBSnapshots(dynamodb, table=table, clock=lambda: NOW))
    for _ in range(10):
        scrape()
    return calls


def _default_deployment() -> Deployment:
    topology = Topology.load()
    hold = topology.settings.hold_seconds
    told = variables(Names("prod"), topology, "collector", LambdaEnvInputs(hold_seconds=hold))
    return CollectorSettings.from_environment({"AWS_REGION": "us-east-1", **told}).deployment
