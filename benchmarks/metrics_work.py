"""The work of the metrics service at a given size, ready to be measured a piece at a time."""

import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client import generate_latest, openmetrics, parser
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.registry import Collector

from scripts.silence import Silence
from services.metrics.access import Gate
from services.metrics.catalog import catalog
from services.metrics.counters import Counter, Gauge, Ledger
from services.metrics.deployment import Deployment
from services.metrics.rendering import Rendering
from services.metrics.serving import Exposition, Shelf
from services.metrics.snapshot import Edition, Format, Pages, Snapshot, Tally

NOW = 1_800_000_000
OPEN_MINUTES = 60
_TOKEN = "a-token-for-scraping"  # noqa: S105 - of nothing
_PROMETHEUS = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass(frozen=True)
class Work:
    """A deployment that has been busy for an hour: each counter has a value in each of its open minutes."""

    deployment: Deployment
    snapshot: Snapshot
    rendering: Rendering

    @classmethod
    def of(cls, deployment: Deployment) -> "Work":
        listed, minute = catalog(deployment), NOW // 60
        buckets = [bucket for histogram in listed.histograms for bucket in histogram.buckets]
        counters = {
            series.key: Counter(
                1_000_000 + number,
                {minute - OPEN_MINUTES + past: (number + past) % 500 for past in range(OPEN_MINUTES)},
            )
            for number, series in enumerate([*listed.counters, *buckets])
        }
        gauges = {series.key: Gauge(minute, number) for number, series in enumerate(listed.gauges)}
        ledger = Ledger(minute - OPEN_MINUTES, counters, gauges)
        snapshot = Snapshot(7, NOW, ledger, Tally(1_000, 156_000, 0))
        return cls(deployment, snapshot, Rendering(deployment, listed, snapshot, 1.234))

    @property
    def series(self) -> int:
        return self.rendering.catalog.size

    def writers(self) -> dict[Format, Callable[[], object]]:
        """The client library's own writers, given the same numbers as they come out of its own parsers."""
        pages = {form: gzip.decompress(page).decode() for form, page in self.rendering.pages().items()}
        text = _Parsed(list(parser.text_string_to_metric_families(pages[Format.TEXT])))
        opened = _Parsed(list(_parse_openmetrics(pages[Format.OPENMETRICS])))
        return {
            Format.TEXT: lambda: generate_latest(text),
            Format.OPENMETRICS: lambda: _write_openmetrics(opened),
        }

    def compressing(self) -> Callable[[], object]:
        pages = [gzip.decompress(page) for page in self.rendering.pages().values()]
        return lambda: [gzip.compress(page, compresslevel=6, mtime=0) for page in pages]


# The library leaves these two without types.
_parse_openmetrics: Callable[[str], Iterable[Metric]] = parse_openmetrics
_write_openmetrics: Callable[[Collector], bytes] = openmetrics.exposition.generate_latest


class _Parsed(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class MemoryShelf:
    """Pages at no distance at all, so that only our own work is measured. Its version can be moved on."""

    def __init__(self, snapshot: Snapshot, pages: Pages) -> None:
        self._pages = pages
        self._at = snapshot.collected_at
        self.version = snapshot.version

    def latest(self) -> Edition:
        return Edition(self.version, self._at, {}, ())

    def page(self, form: Format) -> tuple[Edition, bytes]:
        return self.latest(), self._pages[form]


def scraper(shelf: Shelf, *, compressed: bool = True) -> Callable[[], int]:
    """One Prometheus: scrapes, and tells how many bytes the gateway would carry."""
    exposition = Exposition(
        Gate(lambda: _TOKEN, clock=time.monotonic), shelf, Silence(), stale_seconds=300, clock=lambda: NOW + 5
    )
    headers = {"authorization": f"Bearer {_TOKEN}", "accept": _PROMETHEUS}
    if compressed:
        headers["accept-encoding"] = "gzip"

    def scrape() -> int:
        answer = exposition.answer(headers)
        if answer.status != 200:
            raise RuntimeError(f"a scrape was answered with {answer.status}: {answer.body!r}")
        return len(answer.for_gateway()["body"])

    return scrape


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    work()
    return (clock() - started) * 1_000


def peak_megabytes(work: Callable[[], object]) -> float:
    """How much more memory Python held at the height of the work than before it."""
    tracemalloc.start()
    try:
        work()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak / 1_048_576
