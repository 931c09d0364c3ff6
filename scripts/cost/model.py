"""The cost model: measured figures, the deployed functions, and assumptions. Pure."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from scripts.common.errors import ToolError
from scripts.cost.measurements import Figures
from scripts.cost.prices import MINUTES_A_MONTH
from scripts.cost.way_in import HttpOrderFigures
from scripts.environment.topology import Consumer, Names, Topology
from services.metrics.catalog import catalog
from services.metrics.deployed_resources import DeployedFunction, Deployment
from services.metrics.series import Catalog
from services.shared.adapters.clients import CONCURRENCY
from services.shared.events import MAX_SKUS
from services.shared.messages import RECEIVED_AT_ONCE

FULL_VCPU_MB = 1769
"""Lambda gives one virtual CPU at this memory, and less in proportion below it."""
POLLERS = 5
"""Pollers that Lambda keeps on each queue, at least."""
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What cannot be measured without AWS."""

    round_trip_ms: float
    """Of a call to AWS; parallel calls count once."""
    gateway_ms: float
    """Of a call to a real payment gateway."""
    scrapers: int
    """Prometheus servers, each every 30 seconds."""

    def __post_init__(self) -> None:
        if not all(0 <= it < math.inf for it in (self.round_trip_ms, self.gateway_ms, self.scrapers)):
            raise ToolError("--round-trip-ms, --gateway-ms and --scrapers must be 0 or more.", exit_code=2)


ASSUMED = Assumptions(round_trip_ms=25.0, gateway_ms=200.0, scrapers=1)


@dataclass(frozen=True, slots=True)
class OrderMix:
    """The kind of orders."""

    skus: int = 1
    declined: float = 0.0
    rejected: float = 0.0
    hot: bool = False
    """All orders are for the same SKU."""

    def __post_init__(self) -> None:
        if not 1 <= self.skus <= MAX_SKUS:
            raise ToolError(f"--items must be 1 to {MAX_SKUS}, not {self.skus}.", exit_code=2)
        for share in (self.declined, self.rejected):
            if not 0 <= share <= 1:
                raise ToolError(f"a share must be from 0 to 1, not {share:g}.", exit_code=2)
        if self.declined + self.rejected > 1:
            raise ToolError("--decline-share and --reject-share must not exceed 1 together.", exit_code=2)
        if self.hot and self.skus > 1:
            raise ToolError("--hot needs --items 1.", exit_code=2)

    @property
    def outcomes(self) -> Mapping[str, float]:
        return {
            "confirmed": 1 - self.declined - self.rejected,
            "declined": self.declined,
            "rejected": self.rejected,
        }


DEFAULT_MIX = OrderMix()


@dataclass(frozen=True, slots=True)
class Model:
    figures: Figures
    topology: Topology
    mix: OrderMix = DEFAULT_MIX
    assumed: Assumptions = ASSUMED
    batch: float | None = None
    """Orders per batch; None derives it from the rate."""
    http: HttpOrderFigures | None = None
    """What accepting an order over HTTP takes; None: shops publish orders themselves."""

    def __post_init__(self) -> None:
        if self.batch is not None and not 1 <= self.batch <= self.full_batch:
            raise ToolError(f"--batch must be 1 to {self.full_batch:.0f}, not {self.batch:g}.", exit_code=2)

    @property
    def full_batch(self) -> float:
        return float(self.topology.consumer("order").batch_size)

    @property
    def pipeline(self) -> Mapping[str, Consumer]:
        """The consumers that process orders, without the read side."""
        return {name: it for name, it in self.topology.consumers.items() if "orders" in it.tables}

    def batches(self, per_second: float) -> Mapping[str, float]:
        """Return the batch size of each function while orders arrive evenly."""
        return {
            name: self.batch or batch_size(per_second, consumer, partial(self.busy_seconds, name))
            for name, consumer in self.pipeline.items()
        }

    def each(self, figure: str, batch: float) -> float:
        """Average a figure over the outcomes of the order mix."""
        return sum(
            share * self.figures.per_order(outcome, figure, batch=batch, skus=self.mix.skus, hot=self.mix.hot)
            for outcome, share in self.mix.outcomes.items()
        )

    def busy_seconds(self, function: str, batch: float) -> float:
        """Return how long a function is busy per order: processor time at its share of one, and waiting."""
        charging = 0.0
        if function == "payment":
            reserved = 1 - self.mix.rejected
            charging = reserved * math.ceil(batch / CONCURRENCY) / batch * self.assumed.gateway_ms
        cpu_ms, stages = self.each(f"{function}.cpuMs", batch), self.each(f"{function}.stages", batch)
        return self.seconds(function, cpu_ms, stages) + charging / 1000

    def seconds(self, function: str, cpu_ms: float, stages: float) -> float:
        """Return how long a function takes for so much processor time and so many round trips."""
        memory_mb = self.topology.function(function).memory_mb
        slowed = cpu_ms * max(1.0, FULL_VCPU_MB / memory_mb)
        return (slowed + stages * self.assumed.round_trip_ms) / 1000

    @property
    def collections(self) -> float:
        """Runs of the collector in a month."""
        number, unit = self.topology.scheduled["collector"].schedule.removeprefix("rate(")[:-1].split()
        return MINUTES_A_MONTH / (float(number) * _MINUTES[unit.removesuffix("s")])

    # --- the metrics ------------------------------------------------------------------------------------

    def series(self) -> int:
        """Series that the collector reads each time."""
        listed = listed_metrics(deployment(self.topology))
        return len(listed.counters) + len(listed.gauges)

    def counters(self) -> int:
        """Counters that the collector reads once more each hour, for late data."""
        return len(listed_metrics(deployment(self.topology)).counters)

    def buckets(self) -> int:
        """Histogram buckets that it reads while there are orders."""
        return sum(
            len(histogram.buckets) for histogram in listed_metrics(deployment(self.topology)).histograms
        )

    def own_metrics(self) -> int:
        """Custom metrics that our functions may emit."""
        deployed = deployment(self.topology)
        listed = listed_metrics(deployed)
        series = [*listed.counters, *listed.gauges]
        series += [bucket for histogram in listed.histograms for bucket in histogram.buckets]
        own = [it.query for it in series if it.query.namespace == deployed.prefix]
        return len({(query.metric, query.dimensions) for query in own})


def requests(batch: float) -> float:
    """SQS requests per message: one to send, and a share of receiving and deleting its batch, by tens."""
    return 1 + 2 / min(batch, RECEIVED_AT_ONCE)


def without_database(topology: Topology) -> Topology:
    """Leave out the functions that need a database."""
    functions = {name: it for name, it in topology.functions.items() if it.database is None}
    return topology.model_copy(update={"functions": functions})


def batch_size(per_second: float, consumer: Consumer, busy_seconds: Callable[[float], float]) -> float:
    """Orders that arrive within a batch window. Bursts and backlogs fill batches better.

    Without a window a batch is what waits, and more than one order waits only when all instances are busy.
    """
    if consumer.batch_window_seconds:
        arrived = per_second * consumer.batch_window_seconds / POLLERS
        return min(max(1.0, arrived), float(consumer.batch_size))
    sizes = range(1, consumer.batch_size)
    enough = (it for it in sizes if per_second * busy_seconds(it) <= consumer.maximum_concurrency)
    return float(next(enough, consumer.batch_size))


def listed_metrics(deployed: Deployment) -> Catalog:
    """Return its catalog, made once: every bill of a topology needs the same one."""
    functions = tuple(deployed.functions.items())
    return _listed_metrics(deployed.env, deployed.region, functions, deployed.tables, deployed.hold_seconds)


@cache
def _listed_metrics(
    env: str,
    region: str,
    functions: tuple[tuple[str, DeployedFunction], ...],
    tables: tuple[str, ...],
    hold_seconds: int,
) -> Catalog:
    return catalog(
        Deployment(
            env=env, region=region, functions=dict(functions), tables=tables, hold_seconds=hold_seconds
        )
    )


def deployment(topology: Topology, env: str = "prod", region: str = "us-east-1") -> Deployment:
    """Return the deployment as the collector reads it from its environment variables."""
    consumers = topology.consumers
    return Deployment(
        env=Names(env).env,
        region=region,
        functions={
            name: DeployedFunction(spec.memory_mb, queue=name in consumers)
            for name, spec in topology.functions.items()
        },
        tables=tuple(topology.tables),
        hold_seconds=topology.settings.hold_seconds,
    )
