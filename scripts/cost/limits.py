"""How many orders a second each quota allows, and which limit is reached first. Pure.

Batches count as full: queues fill them when load rises, long before a limit is reached.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from scripts.cost import quotas
from scripts.cost.model import Model
from scripts.cost.quotas import Quota
from services.metrics.collector import WINDOW

_TRANSACTIONAL = 2
_METRICS_FUNCTIONS = 2
"""One collector and one exposition."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota, and how much of it one order a second uses."""

    name: str
    quota: Quota
    per_order: float
    """0 when it does not grow with the rate."""
    remedy: str
    """What to raise or change."""
    at_rest: float = 0.0
    """Used at any rate."""

    @property
    def max_rate(self) -> float:
        """Orders a second at which it is reached."""
        return (self.quota.value - self.at_rest) / self.per_order if self.per_order else inf

    def headroom(self, rate: float) -> float:
        """The quota over what a rate uses; below 1 it does not suffice."""
        used = self.at_rest + rate * self.per_order
        return self.quota.value / used if used else inf


@dataclass(frozen=True, slots=True)
class HotSku:
    """What one inventory item allows, as long as one item holds all stock of its SKU."""

    orders_per_transaction: float
    transactions_by_capacity: float
    transactions_by_contention: float

    @property
    def by_capacity(self) -> float:
        """Orders a second. Each updates the item twice: reserve, then confirm or release."""
        return self.transactions_by_capacity * self.orders_per_transaction / 2

    @property
    def by_contention(self) -> float:
        return self.transactions_by_contention * self.orders_per_transaction / 2


def hot_sku(model: Model, *, orders_per_transaction: float | None = None) -> HotSku:
    writes = model.figures.per_order("confirmed", "skuWrites", batch=_full(model), skus=1, hot=True)
    return HotSku(
        orders_per_transaction=orders_per_transaction or 2 / writes,
        transactions_by_capacity=quotas.PARTITION_WRITES.value / _TRANSACTIONAL,
        transactions_by_contention=1000 / model.assumed.round_trip_ms,
    )


def limits(model: Model) -> Sequence[Limit]:
    """Return every limit, the first one reached first."""
    every = (*_functions(model), *_bus(model), *_tables(model), *_one_sku(model), *_monitoring(model))
    return sorted(every, key=lambda it: it.max_rate)


def needed_concurrency(model: Model, function: str, rate: float) -> float:
    """Return how many instances of a function are busy at once."""
    return rate * model.busy_seconds(function, _full(model))


def _full(model: Model) -> float:
    return model.batch or model.full_batch


def _each(model: Model, figure: str) -> float:
    return model.each(figure, _full(model))


def _functions(model: Model) -> Iterator[Limit]:
    for name, consumer in model.pipeline.items():
        yield Limit(
            f"{name}: concurrency",
            Quota(consumer.maximum_concurrency, "instances", "maximumConcurrency in infra/functions.yaml"),
            needed_concurrency(model, name, 1),
            "raise maximumConcurrency, up to 1,000; watch contention on a hot SKU",
        )
    yield Limit(
        "Lambda: concurrency in the account",
        quotas.LAMBDA_CONCURRENCY,
        sum(needed_concurrency(model, name, 1) for name in model.pipeline),
        "request an increase, up to tens of thousands",
        at_rest=_METRICS_FUNCTIONS,
    )
    yield Limit(
        "Lambda: bytes of one invocation",
        quotas.LAMBDA_PAYLOAD,
        0.0,
        "use smaller batches where orders are of the maximum size",
        at_rest=_full(model) * (_each(model, "largestEventBytes") + quotas.MESSAGE_OVERHEAD),
    )


def _bus(model: Model) -> Iterator[Limit]:
    yield Limit(
        "EventBridge: events put",
        quotas.PUT_EVENTS,
        _each(model, "events"),
        "request an increase; other regions begin lower",
    )
    yield Limit(
        "EventBridge: deliveries to queues",
        quotas.RULE_INVOCATIONS,
        _each(model, "messages"),
        "request an increase; above it events are late, not lost",
    )
    yield Limit(
        "SQS: messages in flight in one queue",
        quotas.IN_FLIGHT,
        _full(model) * max(model.busy_seconds(name, _full(model)) for name in model.pipeline),
        "request an increase, or split the queue",
    )


_WARM = "request an increase; set warm throughput before a sale: a new table begins at 4,000"


def _tables(model: Model) -> Iterator[Limit]:
    for table in ("orders", "inventory"):
        units = _each(model, f"writeUnits.{table}")
        yield Limit(f"DynamoDB: writes to {table}", quotas.TABLE_WRITES, units, _WARM)
    yield Limit("DynamoDB: reads of orders", quotas.TABLE_READS, _each(model, "readUnits"), _WARM)


def _one_sku(model: Model) -> Iterator[Limit]:
    hot = hot_sku(model)
    yield Limit(
        "one hot SKU: write units of its item",
        Quota(
            hot.transactions_by_capacity, "transactions/s", f"2 units each; {quotas.PARTITION_WRITES.checked}"
        ),
        2 / hot.orders_per_transaction,
        "shard the stock",
    )
    yield Limit(
        "one hot SKU: one transaction at a time",
        Quota(hot.transactions_by_contention, "transactions/s", "one per round trip, as assumed"),
        2 / hot.orders_per_transaction,
        "fill batches, then shard the stock",
    )


def _monitoring(model: Model) -> Iterator[Limit]:
    yield Limit(
        "CloudWatch Logs: PutLogEvents",
        quotas.PUT_LOG_EVENTS,
        sum(_each(model, f"{name}.invocations") for name in model.pipeline),
        "request an increase; no invocation waits for its log",
    )
    yield Limit(
        "CloudWatch: datapoints of the collector",
        quotas.DATAPOINTS,
        0.0,
        "grows with functions and tables, not with orders",
        at_rest=(model.series() + model.buckets()) * WINDOW,
    )
