"""One collection: read what may have changed, update the ledger, store a new snapshot."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from services.metrics.adapters.cloudwatch import Reading
from services.metrics.catalog import catalog
from services.metrics.counters import Ledger, Minute, closed_hours
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

HOUR = 60


class Source(Protocol):
    def read(self, series: Sequence[Series], start: Minute, end: Minute, *, period: int = 1) -> Reading: ...


class Snapshots(Protocol):
    def load(self) -> Snapshot | None: ...

    def replace(self, before: Snapshot | None, after: Snapshot, pages: Pages) -> bool:
        """Replace `before` by `after` atomically; False when `before` is no longer current."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A ledger after readings, with their cost and gaps."""

    ledger: Ledger
    requested: int = 0
    incomplete: frozenset[str] = frozenset()

    def plus(self, ledger: Ledger, reading: Reading) -> "_Read":
        return _Read(ledger, self.requested + reading.requested, self.incomplete | reading.incomplete)


Renderer = Callable[[Rendering], Pages]


def _pages(rendering: Rendering) -> Pages:
    return rendering.pages()


class Collector:
    def __init__(  # noqa: PLR0913 - its ports
        self,
        deployment: Deployment,
        source: Source,
        snapshots: Snapshots,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float],
        render: Renderer = _pages,
    ) -> None:
        self._deployment = deployment
        self._catalog = catalog(deployment)
        buckets = [bucket for histogram in self._catalog.histograms for bucket in histogram.buckets]
        self._counters = {series.key: series for series in (*self._catalog.counters, *buckets)}
        self._source = source
        self._snapshots = snapshots
        self._telemetry = telemetry
        self._clock = clock
        self._render = render

    def collect(self) -> Snapshot | None:
        """Return the new snapshot; None when another collector wrote first."""
        watch, now = Stopwatch(), int(self._clock())
        before = self._snapshots.load()
        this_minute = now // 60
        ledger = before.ledger if before else Ledger(watermark=this_minute - WINDOW)
        end = min(this_minute + 1, ledger.watermark + REACH)
        # After a long pause the metrics are only as new as the last minute that was read.
        collected_at = min(now, end * 60)
        new_hour = before is not None and before.collected_at // 3600 < collected_at // 3600
        read = self._read(ledger.knowing(self._counters), end, new_hour=new_hour)
        closed = self._closed(read, min(end, this_minute - WINDOW))
        after = Snapshot(
            version=before.version + 1 if before else 1,
            collected_at=collected_at,
            ledger=closed,
            tally=(before.tally if before else Tally()).plus(
                requested=read.requested, incomplete=len(read.incomplete)
            ),
        )
        pages = self._render(Rendering(self._deployment, self._catalog, after, watch.seconds()))
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

    def _read(self, ledger: Ledger, end: Minute, *, new_hour: bool) -> _Read:
        counters, gauges = self._catalog.counters, self._catalog.gauges
        reading = self._source.read([*counters, *gauges], ledger.watermark, end)
        gauge_keys = {series.key for series in gauges}
        counted = ledger.counting(
            {key: seen for key, seen in reading.values.items() if key not in gauge_keys}
        ).gauging({key: seen for key, seen in reading.values.items() if key in gauge_keys})
        read = self._read_buckets(_Read(ledger).plus(counted, reading), end)
        hourly = _keys(counters) if new_hour else ()
        late = self._counters.keys() & ledger.pending.union(hourly)
        return self._read_late(read, [self._counters[key] for key in sorted(late)])

    def _read_buckets(self, read: _Read, end: Minute) -> _Read:
        """Read the buckets of those histograms only whose buckets do not hold every observation yet."""
        buckets: list[Series] = []
        earliest = end
        for histogram in self._catalog.histograms:
            gaps = read.ledger.gaps(histogram.count.key, _keys(histogram.buckets))
            if gaps:
                buckets += histogram.buckets
                earliest = min(earliest, *gaps)
        if not buckets:
            return read
        reading = self._source.read(buckets, earliest, end)
        return read.plus(read.ledger.counting(reading.values), reading)

    def _read_late(self, read: _Read, late: Sequence[Series]) -> _Read:
        """Read the closed hours of a day again, and those of buckets that then hold too little."""
        read = self._amend(read, late)
        keys = set(_keys(late))
        buckets = [
            bucket
            for histogram in self._catalog.histograms
            if histogram.count.key in keys
            and read.ledger.hour_gaps(histogram.count.key, _keys(histogram.buckets))
            for bucket in histogram.buckets
            if bucket.key not in keys
        ]
        return self._amend(read, buckets)

    def _amend(self, read: _Read, late: Sequence[Series]) -> _Read:
        hours = read.ledger.amendable
        known = [series for series in late if read.ledger.counter(series.key).since < hours.stop * HOUR]
        if not known:
            return read
        reading = self._source.read(known, hours.start * HOUR, hours.stop * HOUR, period=HOUR)
        return read.plus(read.ledger.amending(reading.values), reading)

    def _closed(self, read: _Read, watermark: Minute) -> Ledger:
        """Close minutes that are old enough. A series with partial data delays no other: it is read again."""
        if read.incomplete:
            self._telemetry.warning(LogEvent.COLLECTION_INCOMPLETE, series=sorted(read.incomplete)[:10])
        final = closed_hours(watermark).start
        for histogram in self._catalog.histograms:
            gaps = read.ledger.hour_gaps(histogram.count.key, _keys(histogram.buckets))
            if any(hour < final for hour in gaps):
                self._telemetry.warning(LogEvent.HISTOGRAM_INCONSISTENT, metric=histogram.name)
        return replace(read.ledger.closed(watermark), pending=read.incomplete & self._counters.keys())


def _keys(series: Iterable[Series]) -> list[str]:
    return [it.key for it in series]
