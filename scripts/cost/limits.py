"""How many orders a second each limit bears, and so which one is met first. Pure.

Batches are taken as full: queues fill them when load rises, long before a limit is met.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from scripts.cost import quotas
from scripts.cost.model import Model
from scripts.cost.quotas import Quota
from services.metrics.collector import WINDOW

_TRANSACTIONAL = 2
_OF_THE_METRICS = 2
"""Copies: one collector, one exposition."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota, and how much of it an order a second takes."""

    what: str
    quota: Quota
    each: float
    """0 when it does not grow with the rate."""
    then: str
    """What to raise or change."""
    at_rest: float = 0.0
    """What is taken of it whatever the rate."""

    @property
    def bears(self) -> float:
        """Orders a second at which it is met."""
        return (self.quota.value - self.at_rest) / self.each if self.each else inf

    def head_room(self, rate: float) -> float:
        """How many times over the quota would do; below 1 it does not."""
        taken = self.at_rest + rate * self.each
        return self.quota.value / taken if taken else inf


@dataclass(frozen=True, slots=True)
class HotSku:
    """What one inventory item bears, as long as one item holds all stock of its SKU."""

    orders_a_pack: float
    packs_by_capacity: float
    packs_by_conflict: float

    @property
    def by_capacity(self) -> float:
        """Orders a second. Each passes the item twice: reserved, then confirmed or released."""
        return self.packs_by_capacity * self.orders_a_pack / 2

    @property
    def by_conflict(self) -> float:
        return self.packs_by_conflict * self.orders_a_pack / 2


def hot_sku(model: Model, *, orders_a_pack: float | None = None) -> HotSku:
    writes = model.figures.per_order("confirmed", "skuWrites", batch=_full(model), skus=1, hot=True)
    return HotSku(
        orders_a_pack=orders_a_pack or 2 / writes,
        packs_by_capacity=quotas.PARTITION_WRITES.value / _TRANSACTIONAL,
        packs_by_conflict=1000 / model.assumed.round_trip_ms,
    )


def limits(model: Model) -> Sequence[Limit]:
    """List every limit, the one met first at the head."""
    every = (*_functions(model), *_bus(model), *_tables(model), *_one_sku(model), *_watching(model))
    return sorted(every, key=lambda it: it.bears)


def needed_concurrency(model: Model, function: str, rate: float) -> float:
    """Say how many copies of a function are busy at once."""
    return rate * model.busy_seconds(function, _full(model))


def _full(model: Model) -> float:
    return model.batch or model.full_batch


def _each(model: Model, figure: str) -> float:
    return model.each(figure, _full(model))


def _functions(model: Model) -> Iterator[Limit]:
    for name, consumer in model.pipeline.items():
        yield Limit(
            f"{name}: copies at once",
            Quota(consumer.maximum_concurrency, "copies", "maximumConcurrency in infra/functions.yaml"),
            needed_concurrency(model, name, 1),
            "raise maximumConcurrency, up to 1,000; mind what rivals do to a hot SKU",
        )
    yield Limit(
        "Lambda: copies at once in the account",
        quotas.LAMBDA_CONCURRENCY,
        sum(needed_concurrency(model, name, 1) for name in model.pipeline),
        "ask for more; it is raised to tens of thousands",
        at_rest=_OF_THE_METRICS,
    )
    yield Limit(
        "Lambda: bytes handed to one call",
        quotas.LAMBDA_PAYLOAD,
        0.0,
        "smaller batches, where orders are as large as can be",
        at_rest=_full(model) * (_each(model, "largestEventBytes") + quotas.MESSAGE_OVERHEAD),
    )


def _bus(model: Model) -> Iterator[Limit]:
    yield Limit(
        "EventBridge: events put",
        quotas.PUT_EVENTS,
        _each(model, "events"),
        "ask for more; other regions begin lower",
    )
    yield Limit(
        "EventBridge: events handed to queues",
        quotas.RULE_INVOCATIONS,
        _each(model, "messages"),
        "ask for more; beyond it events are late, not lost",
    )
    yield Limit(
        "SQS: messages in flight in one queue",
        quotas.IN_FLIGHT,
        _full(model) * max(model.busy_seconds(name, _full(model)) for name in model.pipeline),
        "ask for more, or split the queue",
    )


_WARM = "ask for more; set warm throughput before a sale, as a new table begins at 4,000"


def _tables(model: Model) -> Iterator[Limit]:
    for table in ("orders", "inventory"):
        units = _each(model, f"writeUnits.{table}")
        yield Limit(f"DynamoDB: writes to {table}", quotas.TABLE_WRITES, units, _WARM)
    yield Limit("DynamoDB: reads of orders", quotas.TABLE_READS, _each(model, "readUnits"), _WARM)


def _one_sku(model: Model) -> Iterator[Limit]:
    hot = hot_sku(model)
    yield Limit(
        "all orders for one SKU: units of its item",
        Quota(hot.packs_by_capacity, "packs/s", f"2 units each; {quotas.PARTITION_WRITES.checked}"),
        2 / hot.orders_a_pack,
        "shards of stock",
    )
    yield Limit(
        "all orders for one SKU: one pack at a time",
        Quota(hot.packs_by_conflict, "packs/s", "one in the time that AWS takes to answer, as assumed"),
        2 / hot.orders_a_pack,
        "fuller packs, then shards of stock",
    )


def _watching(model: Model) -> Iterator[Limit]:
    yield Limit(
        "CloudWatch Logs: PutLogEvents",
        quotas.PUT_LOG_EVENTS,
        sum(_each(model, f"{name}.invocations") for name in model.pipeline),
        "ask for more; no call waits for its log",
    )
    yield Limit(
        "CloudWatch: datapoints that the collector reads",
        quotas.DATAPOINTS,
        0.0,
        "grows with functions and tables, not with orders",
        at_rest=(model.series() + model.buckets()) * WINDOW,
    )
