"""What bill and limits follow from: measured figures, what is deployed, and what is assumed. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.common.errors import ToolError
from scripts.cost.deployed import deployment
from scripts.cost.measurements import Figures
from scripts.cost.prices import MINUTES_A_MONTH
from scripts.environment.topology import Consumer, Topology
from services.metrics.catalog import catalog
from services.shared.adapters.clients import CONCURRENCY
from services.shared.events import MAX_SKUS

FULL_VCPU_MB = 1769
"""Lambda gives one virtual CPU at this memory, and less in proportion below it."""
POLLERS = 5
"""Batches that Lambda gathers side by side from a queue, at least."""
RECEIVED_AT_ONCE = 10
"""Lambda receives and deletes up to ten messages in one request."""
_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What no emulator can tell."""

    round_trip_ms: float
    """Until AWS has answered; calls made side by side are waited for once."""
    gateway_ms: float
    """Until a real payment gateway has answered."""
    scrapers: int
    """Prometheus servers, each every 30 seconds."""

    def __post_init__(self) -> None:
        if not all(0 <= it < math.inf for it in (self.round_trip_ms, self.gateway_ms, self.scrapers)):
            raise ToolError("times and numbers of servers are 0 or more.", exit_code=2)


ASSUMED = Assumptions(round_trip_ms=25.0, gateway_ms=200.0, scrapers=1)


@dataclass(frozen=True, slots=True)
class Orders:
    """What kind of orders there are."""

    skus: int = 1
    declined: float = 0.0
    rejected: float = 0.0
    hot: bool = False
    """All of them for one and the same SKU."""

    def __post_init__(self) -> None:
        if not 1 <= self.skus <= MAX_SKUS:
            raise ToolError(f"an order has 1 to {MAX_SKUS} SKUs, not {self.skus}.", exit_code=2)
        for share in (self.declined, self.rejected):
            if not 0 <= share <= 1:
                raise ToolError(f"a share is a number from 0 to 1, not {share:g}.", exit_code=2)
        if self.declined + self.rejected > 1:
            raise ToolError("more orders are declined and rejected than there are.", exit_code=2)
        if self.hot and self.skus > 1:
            raise ToolError("orders that are all for the same SKU have one SKU.", exit_code=2)

    @property
    def outcomes(self) -> Mapping[str, float]:
        return {
            "confirmed": 1 - self.declined - self.rejected,
            "declined": self.declined,
            "rejected": self.rejected,
        }


PLAIN = Orders()


@dataclass(frozen=True, slots=True)
class Model:
    figures: Figures
    topology: Topology
    kind: Orders = PLAIN
    assumed: Assumptions = ASSUMED
    batch: float | None = None
    """How full batches are; None lets it follow from the rate."""

    def __post_init__(self) -> None:
        if self.batch is not None and not 1 <= self.batch <= self.full_batch:
            raise ToolError(
                f"a batch holds 1 to {self.full_batch:.0f} orders, not {self.batch:g}.", exit_code=2
            )

    @property
    def full_batch(self) -> float:
        return float(self.topology.consumer("order").batch_size)

    @property
    def pipeline(self) -> Mapping[str, Consumer]:
        """The functions that move orders, which the figures are about; the read side's are not among them."""
        return {name: it for name, it in self.topology.consumers.items() if it.tables}

    def batches(self, per_second: float) -> Mapping[str, float]:
        """Say how full the batches of each function are while orders arrive evenly."""
        return {
            name: self.batch or gathered(per_second, consumer) for name, consumer in self.pipeline.items()
        }

    def each(self, figure: str, batch: float) -> float:
        """Average a figure over the outcomes of an order."""
        return sum(
            share
            * self.figures.per_order(outcome, figure, batch=batch, skus=self.kind.skus, hot=self.kind.hot)
            for outcome, share in self.kind.outcomes.items()
        )

    def busy_seconds(self, function: str, batch: float) -> float:
        """Say how long a function is busy for each order: CPU at its share of one, and waiting."""
        charging = 0.0
        if function == "payment":
            reserved = 1 - self.kind.rejected
            charging = reserved * math.ceil(batch / CONCURRENCY) / batch * self.assumed.gateway_ms
        took = self.each(f"{function}.cpuMs", batch), self.each(f"{function}.stages", batch)
        return self.seconds(function, *took) + charging / 1000

    def seconds(self, function: str, cpu_ms: float, stages: float) -> float:
        """Say how long a function of its memory takes for so much work and waiting."""
        memory_mb = self.topology.function(function).memory_mb
        slowed = cpu_ms * max(1.0, FULL_VCPU_MB / memory_mb)
        return (slowed + stages * self.assumed.round_trip_ms) / 1000

    @property
    def collections(self) -> float:
        """Count the collector's runs in a month."""
        number, unit = self.topology.scheduled["collector"].schedule.removeprefix("rate(")[:-1].split()
        return MINUTES_A_MONTH / (float(number) * _MINUTES[unit.removesuffix("s")])

    # --- the metrics ------------------------------------------------------------------------------------

    def series(self) -> int:
        """Count what the collector reads in any case."""
        listed = catalog(deployment(self.topology))
        return len(listed.counters) + len(listed.gauges)

    def buckets(self) -> int:
        """Count what it reads besides, while they move."""
        return sum(len(histogram.buckets) for histogram in catalog(deployment(self.topology)).histograms)

    def own_metrics(self) -> int:
        """Count the metrics that our functions may emit."""
        deployed = deployment(self.topology)
        listed = catalog(deployed)
        series = [*listed.counters, *listed.gauges]
        series += [bucket for histogram in listed.histograms for bucket in histogram.buckets]
        own = [it.query for it in series if it.query.namespace == deployed.prefix]
        return len({(query.metric, query.dimensions) for query in own})


def requests(batch: float) -> float:
    """Count what SQS bills of a message: sent, and received and deleted with others of its batch."""
    return 1 + 2 / min(batch, RECEIVED_AT_ONCE)


def without_database(topology: Topology) -> Topology:
    """Leave out the functions that there are only where there is a database."""
    kept = {name: it for name, it in topology.functions.items() if it.database is None}
    return topology.model_copy(update={"functions": kept})


def gathered(per_second: float, consumer: Consumer) -> float:
    """Fill a batch for the length of its window. Bursts and queues that are not empty fill it better."""
    gathered = per_second * consumer.batch_window_seconds / POLLERS
    return min(max(1.0, gathered), float(consumer.batch_size))
