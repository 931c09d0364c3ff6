"""One collection: read what may have changed, update the ledger, store a new snapshot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.metrics.adapters.cloudwatch import Reading
from services.metrics.catalog import catalog
from services.metrics.counters import Ledger, Minute
from services.metrics.deployed_resources import Deployment
from services.metrics.rendering import Rendering
from services.metrics.series import Series
from services.metrics.snapshot import Pages, Snapshot, Tally
from services.shared.log_events import LogEvent
from services.shared.telemetry import Stopwatch, Telemetry

WINDOW = 60
"""Minutes that stay open. Re-reading them costs nothing: CloudWatch bills metrics, not the values in them."""

REACH = 360
"""Minutes read at once after a long pause; the next collections continue from there."""


class Source(Protocol):
    def read(self, series: Sequence[Series], start: Minute, end: Minute) -> Reading: ...


class Snapshots(Protocol):
    def load(self) -> Snapshot | None: ...

    def replace(self, before: Snapshot | None, after: Snapshot, pages: Pages) -> bool:
        """Replace `before` by `after` atomically; False when `before` is no longer current."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A ledger after a reading, with the reading's cost and gaps."""

    ledger: Ledger
    requested: int
    incomplete: frozenset[str]


class Collector:
    def __init__(
        self,
        deployment: Deployment,
        source: Source,
        snapshots: Snapshots,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._deployment = deployment
        self._catalog = catalog(deployment)
        self._source = source
        self._snapshots = snapshots
        self._telemetry = telemetry
        self._clock = clock

    def collect(self) -> Snapshot | None:
        """Return the new snapshot; None when another collector wrote first."""
        watch, now = Stopwatch(), int(self._clock())
        before = self._snapshots.load()
        this_minute = now // 60
        ledger = before.ledger if before else Ledger(watermark=this_minute - WINDOW)
        end = min(this_minute + 1, ledger.watermark + REACH)
        read = self._read(ledger, end)
        closed = self._closed(read, min(end, this_minute - WINDOW))
        after = Snapshot(
            version=before.version + 1 if before else 1,
            # After a long pause the metrics are only as new as the last minute that was read.
            collected_at=min(now, end * 60),
            ledger=closed,
            tally=(before.tally if before else Tally()).plus(
                requested=read.requested, incomplete=len(read.incomplete)
            ),
        )
        pages = Rendering(self._deployment, self._catalog, after, watch.seconds()).pages()
        if not self._snapshots.replace(before, after, pages):
            self._telemetry.warning(LogEvent.COLLECTION_OUTRUN, version=after.version)
            return None
        self._telemetry.info(
            LogEvent.METRICS_COLLECTED,
            version=after.version,
            requested=read.requested,
            incomplete=len(read.incomplete),
            watermark=closed.watermark * 60,
        )
        return after

    def _read(self, ledger: Ledger, end: Minute) -> _Read:
        counters, gauges = self._catalog.counters, self._catalog.gauges
        reading = self._source.read([*counters, *gauges], ledger.watermark, end)
        gauge_keys = {series.key for series in gauges}
        counted = ledger.counting(
            {key: seen for key, seen in reading.values.items() if key not in gauge_keys}
        ).gauging({key: seen for key, seen in reading.values.items() if key in gauge_keys})
        return self._read_buckets(counted, end, reading)

    def _read_buckets(self, ledger: Ledger, end: Minute, first: Reading) -> _Read:
        """Read the buckets of those histograms only whose buckets do not hold every observation yet."""
        buckets: list[Series] = []
        earliest = end
        for histogram in self._catalog.histograms:
            gaps = ledger.gaps(histogram.count.key, (bucket.key for bucket in histogram.buckets))
            if gaps:
                buckets += histogram.buckets
                earliest = min(earliest, *gaps)
        if not buckets:
            return _Read(ledger, first.requested, first.incomplete)
        second = self._source.read(buckets, earliest, end)
        return _Read(
            ledger.counting(second.values),
            first.requested + second.requested,
            first.incomplete | second.incomplete,
        )

    def _closed(self, read: _Read, watermark: Minute) -> Ledger:
        """Close minutes that are old enough, unless CloudWatch returned partial data."""
        if read.incomplete:
            self._telemetry.warning(LogEvent.COLLECTION_INCOMPLETE, series=sorted(read.incomplete)[:10])
            return read.ledger
        for histogram in self._catalog.histograms:
            gaps = read.ledger.gaps(histogram.count.key, (bucket.key for bucket in histogram.buckets))
            if any(gap < watermark for gap in gaps):
                self._telemetry.warning(LogEvent.HISTOGRAM_INCONSISTENT, metric=histogram.name)
        return read.ledger.closed(watermark)
