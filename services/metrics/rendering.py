"""Shows a ledger as Prometheus reads it, with the client library's own writers. Pure."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import generate_latest, openmetrics
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from services.metrics.counters import Ledger
from services.metrics.deployed_resources import Deployment
from services.metrics.series import (
    Catalog,
    CounterFamily,
    Family,
    GaugeFamily,
    HistogramFamily,
    Idle,
    Series,
    SummaryFamily,
)
from services.metrics.snapshot import Format, Pages, Snapshot
from services.shared import histogram_buckets

IDLE_MINUTES = 10
"""A gauge that nobody has reported for this long is idle."""

_BOUNDS = [*(str(bound) for bound in histogram_buckets.BUCKETS), "+Inf"]
_MEGABYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class Rendering:
    """Everything there is to show of one snapshot."""

    deployment: Deployment
    catalog: Catalog
    snapshot: Snapshot
    seconds: float
    """How long the collection took."""

    def pages(self) -> Pages:
        families = _Families([*self._measured(), *self._about()])
        return {
            form: gzip.compress(write(families), compresslevel=6, mtime=0) for form, write in _WRITERS.items()
        }

    def _measured(self) -> Iterator[Metric]:
        now = self.snapshot.collected_at // 60
        for family in self.catalog.families:
            yield _shown(family, self.snapshot.ledger, now)

    def _about(self) -> Iterator[Metric]:
        """The numbers about the numbers."""
        deployment, snapshot = self.deployment, self.snapshot
        info = GaugeMetricFamily(
            "pulsequeue_info", "Where these numbers come from", labels=["environment", "region"]
        )
        info.add_metric([deployment.env, deployment.region], 1)
        yield info
        memory = GaugeMetricFamily(
            "pulsequeue_function_memory_bytes", "Memory of each function", labels=["function_name"]
        )
        for name, function in deployment.functions.items():
            memory.add_metric([deployment.name(name)], function.memory_mb * _MEGABYTE)
        yield memory
        for name, text, value in (
            (
                "pulsequeue_reservation_hold_seconds",
                "How long a reservation waits for its payment",
                deployment.hold_seconds,
            ),
            (
                "pulsequeue_metrics_watermark_timestamp_seconds",
                "Minutes before this one are closed: their numbers are final",
                snapshot.ledger.watermark * 60,
            ),
            (
                "pulsequeue_metrics_collected_timestamp_seconds",
                "When CloudWatch was last read; nothing shown here is newer",
                snapshot.collected_at,
            ),
            (
                "pulsequeue_metrics_collection_duration_seconds",
                "How long the last collection took",
                round(self.seconds, 3),
            ),
            ("pulsequeue_metrics_series", "Series in the catalogue", self.catalog.size),
        ):
            yield GaugeMetricFamily(name, text, value)
        tally = snapshot.tally
        for name, text, value in (
            ("pulsequeue_metrics_collections", "Collections that were completed", tally.collections),
            (
                "pulsequeue_metrics_requested",
                "Metrics that CloudWatch was asked for, which is what it bills",
                tally.requested,
            ),
            (
                "pulsequeue_metrics_incomplete_reads",
                "Answers that CloudWatch called partial or failed",
                tally.incomplete,
            ),
        ):
            yield CounterMetricFamily(name, text, value)


class _Families(Collector):
    """What the client library's writers take."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


_WRITERS: dict[Format, Callable[[Collector], bytes]] = {
    Format.TEXT: generate_latest,
    Format.OPENMETRICS: openmetrics.exposition.generate_latest,
}


def _shown(family: Family, ledger: Ledger, now: int) -> Metric:
    match family:
        case CounterFamily():
            return _counter(family, ledger)
        case GaugeFamily():
            return _gauge(family, ledger, now)
        case HistogramFamily():
            return _histogram(family, ledger)
        case SummaryFamily():
            return _summary(family, ledger)


def _counter(family: CounterFamily, ledger: Ledger) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=_names(family.series))
    for series in family.series:
        metric.add_metric(_values(series), _total(series, ledger))
    return metric


def _gauge(family: GaugeFamily, ledger: Ledger, now: int) -> Metric:
    metric = GaugeMetricFamily(family.name, family.help, labels=_names(family.series))
    for series in family.series:
        gauge = ledger.gauges.get(series.key)
        reported = gauge is not None and (family.idle is Idle.HELD or now - gauge.at < IDLE_MINUTES)
        if gauge is not None and reported:
            metric.add_metric(_values(series), series.measure.show(gauge.value))
        elif family.idle is Idle.ZERO:
            metric.add_metric(_values(series), 0)
    return metric


def _histogram(family: HistogramFamily, ledger: Ledger) -> Metric:
    """The count is that of the buckets, so that the two agree while a minute is still coming in."""
    counts = accumulate(ledger.total(bucket.key) for bucket in family.buckets)
    return HistogramMetricFamily(
        family.name,
        family.help,
        buckets=list(zip(_BOUNDS, map(float, counts), strict=True)),
        sum_value=_total(family.sum, ledger),
    )


def _summary(family: SummaryFamily, ledger: Ledger) -> Metric:
    metric = SummaryMetricFamily(
        family.name, family.help, labels=_names([total for total, _ in family.pairs])
    )
    for total, count in family.pairs:
        metric.add_metric(
            _values(total), count_value=ledger.total(count.key), sum_value=_total(total, ledger)
        )
    return metric


def _total(series: Series, ledger: Ledger) -> float:
    return series.measure.show(ledger.total(series.key))


def _names(series: Iterable[Series]) -> list[str]:
    return [name for name, _ in next(iter(series)).labels]


def _values(series: Series) -> list[str]:
    return [value for _, value in series.labels]
