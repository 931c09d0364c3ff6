"""Renders a ledger in the Prometheus formats, with the client library's own writers. Pure."""

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
from services.shared.metric_names import Label
from services.shared.metric_names import Metric as Name

IDLE_MINUTES = 10
"""A gauge without a report for this long is idle."""

_BOUNDS = [*(str(bound) for bound in histogram_buckets.BUCKETS), "+Inf"]
_MEGABYTE = 1_048_576


@dataclass(frozen=True, slots=True)
class Rendering:
    """The pages of one snapshot."""

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
            yield _rendered(family, self.snapshot.ledger, now)

    def _about(self) -> Iterator[Metric]:
        """Metrics about the deployment and the collection itself."""
        deployment, snapshot = self.deployment, self.snapshot
        info = GaugeMetricFamily(
            Name.INFO,
            "The deployment these metrics belong to",
            labels=[Label.ENVIRONMENT, Label.REGION],
        )
        info.add_metric([deployment.env, deployment.region], 1)
        yield info
        memory = GaugeMetricFamily(
            Name.FUNCTION_MEMORY, "Memory of each function", labels=[Label.FUNCTION_NAME]
        )
        for name, function in deployment.functions.items():
            memory.add_metric([deployment.name(name)], function.memory_mb * _MEGABYTE)
        yield memory
        for name, text, value in (
            (
                Name.RESERVATION_HOLD,
                "How long a reservation is held for its payment",
                deployment.hold_seconds,
            ),
            (
                Name.WATERMARK,
                "Minutes before this one are closed; only data over an hour late still adds to them",
                snapshot.ledger.watermark * 60,
            ),
            (
                Name.COLLECTED,
                "When CloudWatch was last read",
                snapshot.collected_at,
            ),
            (
                Name.COLLECTION_DURATION,
                "How long the last collection took",
                round(self.seconds, 3),
            ),
            (Name.SERIES, "Series in the catalogue", self.catalog.size),
        ):
            yield GaugeMetricFamily(name, text, value)
        tally = snapshot.tally
        for name, text, value in (
            (Name.COLLECTIONS, "Collections completed", tally.collections),
            (
                Name.REQUESTED,
                "Metrics requested from CloudWatch, as it bills them",
                tally.requested,
            ),
            (
                Name.INCOMPLETE_READS,
                "Results that CloudWatch marked as partial or failed",
                tally.incomplete,
            ),
        ):
            yield CounterMetricFamily(name, text, value)


class _Families(Collector):
    """The interface that the client library's writers take."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


_WRITERS: dict[Format, Callable[[Collector], bytes]] = {
    Format.TEXT: generate_latest,
    Format.OPENMETRICS: openmetrics.exposition.generate_latest,
}


def _rendered(family: Family, ledger: Ledger, now: int) -> Metric:
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
            metric.add_metric(_values(series), series.measure.from_units(gauge.value))
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
    return series.measure.from_units(ledger.total(series.key))


def _names(series: Iterable[Series]) -> list[str]:
    return [name for name, _ in next(iter(series)).labels]


def _values(series: Series) -> list[str]:
    return [value for _, value in series.labels]
