"""Measures rendering and scraping of the metrics, and computes what CloudWatch bills for it."""

import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.cases import metrics_report
from benchmarks.fixtures.cloudwatch_bill import deployment_of, month, requested_a_minute
from benchmarks.fixtures.emulator import EmulatorFixture, emulator_fixture
from benchmarks.fixtures.metrics_service import (
    NOW,
    InMemorySnapshots,
    Work,
    milliseconds,
    peak_megabytes,
    scraper,
)
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
    with emulator_fixture() as aws:
        table = aws.table("bench-metrics")
        measured = [_measure(size, scale, aws, table) for size in _SIZES]
        calls = _calls_of_a_scrape(table)
    default = _default_deployment()
    deployments = [default, *(it.work.deployment for it in measured)]
    requested = [
        (requested_a_minute(it, busy=False), requested_a_minute(it, busy=True)) for it in deployments
    ]
    sizes = [Work.of(default).series, *(it.series for it in measured)]
    target = next(it for it, size in zip(measured, _SIZES, strict=True) if size == _TARGET_SIZE)
    scrapes = [*target.times["scrape"], *target.times["scrape, new version"]]
    return Report(
        name="metrics",
        title="Metrics: rendering, scraping, and the CloudWatch bill",
        question="How long do rendering and a scrape take, how much is stored, and what does CloudWatch bill "
        "for it, compared with an exporter that queries CloudWatch on every scrape?",
        method=metrics_report.method(scale),
        findings=metrics_report.findings(target, sizes, requested, calls),
        tables=(
            metrics_report.rendering(measured),
            metrics_report.scraping(measured),
            metrics_report.storage(measured),
            metrics_report.bill(sizes, requested),
        ),
        charts=(
            Chart(
                "Median time by number of series",
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
                "Dollars a month with two Prometheus servers and a busy deployment",
                [number(size) for size in sizes],
                {
                    "ours, at any interval": [month(busy, 60) for _, busy in requested],
                    **{
                        f"query at every scrape, {seconds} s": [month(size, seconds, 2) for size in sizes]
                        for seconds in metrics_report.INTERVALS
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


def _measure(size: int, scale: Scale, aws: EmulatorFixture, table: str) -> metrics_report.Measured:
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
    # Pure computation is measured in CPU time, so that its p99 does not depend on other processes.
    times = alternate(
        {name: partial(milliseconds, it, time.thread_time) for name, it in pieces.items()},
        scale.pick(5, 100) if size <= _TARGET_SIZE else scale.pick(2, 20),
    )
    snapshots = InMemorySnapshots(work.snapshot, pages)
    warm, plain = scraper(snapshots), scraper(snapshots, compressed=False)
    store = DynamoDBSnapshots(Clients().dynamodb(), table=table, clock=lambda: NOW)
    _store(store, work)
    stored = scraper(store)

    def newer() -> object:
        snapshots.version += 1
        return warm()

    times |= alternate(
        {
            "scrape": partial(milliseconds, warm),
            "scrape, new version": partial(milliseconds, newer),
            "scrape, not compressed": partial(milliseconds, plain),
            "scrape from DynamoDB": partial(milliseconds, stored),
            "scrape from DynamoDB, new version": lambda: milliseconds(scraper(store)),
        },
        scale.pick(30, 300),
    )
    return metrics_report.Measured(
        work,
        times,
        peak_megabytes(work.rendering.pages),
        {str(form): len(page) for form, page in pages.items()},
        len(encoded),
        _parts(aws, table),
    )


def _store(store: DynamoDBSnapshots, work: Work) -> None:
    before = store.load()
    version = before.version + 1 if before else 1
    after = Snapshot(version, NOW, work.snapshot.ledger, work.snapshot.tally)
    if not store.replace(before, after, work.rendering.pages()):
        raise RuntimeError("the snapshot was not stored: another version replaced it")


def _parts(aws: EmulatorFixture, table: str) -> dict[str, int]:
    """Count the items of the newest edition of each document."""
    head = aws.clients.client("dynamodb").get_item(TableName=table, Key={"pk": {"S": "head"}})["Item"]
    return {name: len(parts["L"]) for name, parts in head["parts"]["M"].items()}


def _calls_of_a_scrape(table: str) -> Counter[str]:
    """Count the calls of scrapes by service, at every client of the exposition."""
    calls: Counter[str] = Counter(cloudwatch=0)

    def count_call(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
        calls[model.service_model.service_name] += 1

    dynamodb = Clients().dynamodb()
    dynamodb.meta.events.register("before-call", count_call)
    scrape = scraper(DynamoDBSnapshots(dynamodb, table=table, clock=lambda: NOW))
    for _ in range(10):
        scrape()
    return calls


def _default_deployment() -> Deployment:
    topology = Topology.load()
    hold = topology.settings.hold_seconds
    env_vars = variables(Names("prod"), topology, "collector", LambdaEnvInputs(hold_seconds=hold))
    return CollectorSettings.from_environment({"AWS_REGION": "us-east-1", **env_vars}).deployment
