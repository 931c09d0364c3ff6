"""What CloudWatch bills for metrics: by one collector that asks once a minute, or by every scrape. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scripts.cost.prices import METRIC_REQUESTED
from scripts.silence import Silence
from services.metrics.catalog import catalog
from services.metrics.cloudwatch import Reading
from services.metrics.collection import Collector
from services.metrics.counters import Minute
from services.metrics.deployment import DeployedFunction, Deployment
from services.metrics.series import Series
from services.metrics.snapshot import Pages, Snapshot
from services.shared.buckets import NAMES

DOLLARS_PER_METRIC = METRIC_REQUESTED.each
"""Of GetMetricData, for each metric that is asked for, whatever the number of values in the answer."""

MONTH_SECONDS = 30 * 86_400
_MINUTES = 4
_START = 29_000_000


def deployment_of(series: int) -> Deployment:
    """A deployment with about so many series: consumers are added until it has them."""
    small, large = (catalog(_deployment(consumers)).size for consumers in (1, 2))
    consumers = max(1, 1 + (series - small) // (large - small))
    return _deployment(consumers)


def _deployment(consumers: int) -> Deployment:
    return Deployment(
        env="bench",
        region="us-east-1",
        functions={f"consumer-{n:04}": DeployedFunction(1024, queue=True) for n in range(consumers)},
        tables=("inventory", "orders", "metrics"),
        hold_seconds=900,
    )


@dataclass
class _Moving:
    """A CloudWatch in which every series moves each minute, or none does."""

    busy: bool
    requested: int = 0

    def read(self, series: Sequence[Series], start: Minute, end: Minute) -> Reading:
        self.requested += len(series)
        values = {it.key: self._values(it, start, end) for it in series} if self.busy else {}
        return Reading(values, frozenset(), len(series))

    @staticmethod
    def _values(series: Series, start: Minute, end: Minute) -> Mapping[Minute, int]:
        # The newest bucket of a minute comes later than its count does, as it may on AWS.
        counted = len(NAMES) if series.query.statistic == "SampleCount" else 1
        return dict.fromkeys(range(start, end), counted)


class _Kept:
    """A shelf that only remembers the newest snapshot."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None

    def load(self) -> Snapshot | None:
        return self._snapshot

    def replace(self, _before: Snapshot | None, after: Snapshot, _pages: Pages) -> bool:
        self._snapshot = after
        return True


def requested_a_minute(deployment: Deployment, *, busy: bool) -> float:
    """Have the real collector collect for some minutes, and count what it asks CloudWatch for."""
    source, now = _Moving(busy), [float(_START * 60)]
    collector = Collector(deployment, source, _Kept(), Silence(), clock=lambda: now[0])
    for _ in range(_MINUTES):
        collector.collect()
        now[0] += 60
    return source.requested / _MINUTES


def month(requested: float, every_seconds: float, askers: int = 1) -> float:
    """Dollars for a month of asking."""
    return requested * askers * MONTH_SECONDS / every_seconds * DOLLARS_PER_METRIC
