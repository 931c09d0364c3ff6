"""An in-memory CloudWatch and snapshot store for tests of the metrics service."""

import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from scripts.environment.lambda_env import LambdaEnvInputs, variables
from scripts.environment.topology import Names, Topology
from services.metrics.adapters.cloudwatch import Reading
from services.metrics.catalog import catalog
from services.metrics.counters import Ledger, Minute
from services.metrics.deployed_resources import DeployedFunction, Deployment
from services.metrics.rendering import Rendering
from services.metrics.series import GaugeFamily, Query, Series
from services.metrics.settings import CollectorSettings
from services.metrics.snapshot import Edition, Format, Pages, Snapshot, Tally

SMALL = Deployment(
    env="test",
    region="us-east-1",
    functions={
        "order": DeployedFunction(1024, queue=True),
        "payment": DeployedFunction(1024, queue=True),
        "collector": DeployedFunction(512, queue=False),
    },
    tables=("orders",),
    hold_seconds=900,
)
"""Two consumers, a function without a queue and one table."""


def without_statistic(query: Query) -> Query:
    """Drop the statistic: observations have all of them."""
    return replace(query, statistic="Sum")


@dataclass
class MemoryCloudWatch:
    """Values by minute, read as from CloudWatch; partial series are reported as incomplete."""

    partial: frozenset[str] = frozenset()
    """Keys of series that a reading returns partially."""
    before_answer: Callable[[], None] = lambda: None
    """Called while a reading is in progress."""
    requests: list[tuple[str, ...]] = field(default_factory=list)
    _values: defaultdict[Query, defaultdict[Minute, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def observe(self, query: Query, minute: Minute, *values: float) -> None:
        self._values[without_statistic(query)][minute] += values

    def sum(self, query: Query) -> float:
        return sum(map(sum, self._values[without_statistic(query)].values()))

    def read(self, series: Sequence[Series], start: Minute, end: Minute, *, period: int = 1) -> Reading:
        self.requests.append(tuple(it.key for it in series))
        values = {it.key: self._periods(it, range(start, end), period) for it in series}
        self.before_answer()
        return Reading(values, self.partial & {it.key for it in series}, len(series))

    def _periods(self, series: Series, minutes: range, period: int) -> Mapping[Minute, int]:
        observed: defaultdict[Minute, list[float]] = defaultdict(list)
        for minute, values in self._values[without_statistic(series.query)].items():
            if minute in minutes:
                observed[minute - minute % period] += values
        whole = {
            minute: series.measure.to_units(_statistic(series.query.statistic, values))
            for minute, values in observed.items()
        }
        if series.key in self.partial:
            return {minute: value // 2 for minute, value in whole.items() if minute // period % 2}
        return whole


def _statistic(name: str, values: Iterable[float]) -> float:
    known = list(values)
    return {"Sum": sum(known), "SampleCount": float(len(known)), "Maximum": max(known)}[name]


@dataclass
class MemorySnapshots:
    """Holds one snapshot and its pages."""

    snapshot: Snapshot | None = None
    pages: Pages = field(default_factory=dict)
    before_replacing: Callable[[], None] = lambda: None

    def load(self) -> Snapshot | None:
        return Snapshot.decoded(self.snapshot.encoded()) if self.snapshot else None

    def replace(self, before: Snapshot | None, after: Snapshot, pages: Pages) -> bool:
        self.before_replacing()
        if (self.snapshot.version if self.snapshot else 0) != (before.version if before else 0):
            return False
        self.snapshot, self.pages = after, pages
        return True

    def latest(self) -> Edition | None:
        if self.snapshot is None:
            return None
        return Edition(self.snapshot.version, self.snapshot.collected_at, {}, ())

    def page(self, form: Format) -> tuple[Edition, bytes] | None:
        edition = self.latest()
        return (edition, self.pages[form]) if edition else None


@cache
def deployed() -> Deployment:
    """What infra/functions.yaml deploys, as in the collector's environment variables."""
    topology = Topology.load()
    env_vars = variables(Names("local"), topology, "collector", LambdaEnvInputs(hold_seconds=900))
    return CollectorSettings.from_environment({**env_vars, "AWS_REGION": "us-east-1"}).deployment


@cache
def exposed_names() -> frozenset[str]:
    """Names of all series that GET /metrics can serve."""
    known = catalog(deployed())
    snapshot = Snapshot(1, 0, Ledger(watermark=0), Tally())
    page = gzip.decompress(Rendering(deployed(), known, snapshot, 0.0).pages()[Format.TEXT]).decode()
    shown = {re.split(r"[ {]", line)[0] for line in page.splitlines() if not line.startswith("#")}
    return frozenset(shown | {family.name for family in known.families if isinstance(family, GaugeFamily)})


def series_of(deployment: Deployment) -> dict[str, Series]:
    """Every series of a deployment, by its key."""
    listed = catalog(deployment)
    buckets = [bucket for histogram in listed.histograms for bucket in histogram.buckets]
    return {series.key: series for series in (*listed.counters, *listed.gauges, *buckets)}
