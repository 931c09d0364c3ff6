"""The monthly bill: every line a quantity times a price. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from scripts.cost import prices
from scripts.cost.model import POLLERS, Model
from scripts.cost.prices import GIB, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH, Price

_LONG_POLL_SECONDS = 20
_SCRAPES = MINUTES_A_MONTH * 2
RECEIVED_AT_ONCE = 10
"""Lambda receives and deletes up to ten messages in one request."""
_ITEM_OVERHEAD = 100
"""Bytes that DynamoDB adds to each item when it bills storage."""
_DAYS_A_MONTH = HOURS_A_MONTH / 24


class Nature(Enum):
    """Why a line is there."""

    FIXED = "without a single order"
    TRAFFIC = "while there are any"
    ORDER = "with each order"


@dataclass(frozen=True, slots=True)
class Line:
    service: str
    what: str
    quantity: float
    price: Price
    nature: Nature

    @property
    def dollars(self) -> float:
        return self.quantity * self.price.each


@dataclass(frozen=True, slots=True)
class Bill:
    orders: float
    batches: Mapping[str, float]
    lines: Sequence[Line]

    @property
    def total(self) -> float:
        return self.sum()

    def sum(self, *, service: str | None = None, nature: Nature | None = None) -> float:
        return sum(
            line.dollars
            for line in self.lines
            if service in (None, line.service) and nature in (None, line.nature)
        )

    def per_million(self, service: str | None = None) -> float:
        """Say what each million of orders adds; 0 without any orders."""
        added = self.sum(service=service, nature=Nature.ORDER)
        return added / self.orders * prices.MILLION if self.orders else 0.0

    def services(self) -> list[str]:
        return list(dict.fromkeys(line.service for line in self.lines))


def monthly(model: Model, orders: float) -> Bill:
    """Write the bill of a month with so many orders, spread evenly over it."""
    batches = model.batches(orders / SECONDS_A_MONTH)
    lines = [*_upkeep(model), *_traffic(model, orders)]
    for function, batch in batches.items():
        lines += _function(model, function, orders, batch)
    lines += _events(model, orders, batches["order"])
    lines += _tables(model, orders, batches["order"])
    return Bill(orders, batches, lines)


# --- what is there without a single order ---------------------------------------------------------------


def _upkeep(model: Model) -> Iterator[Line]:
    fixed = Nature.FIXED
    consumers, scrapes = len(model.topology.consumers), _SCRAPES * model.assumed.scrapers
    yield from _by_the_clock(model, "collector", "collection", MINUTES_A_MONTH)
    yield from _by_the_clock(model, "exposition", "scrape", scrapes)
    yield Line("Scheduler", "collections", MINUTES_A_MONTH, prices.SCHEDULER_CALL, fixed)
    yield Line("API Gateway", "scrapes", scrapes, prices.HTTP_API_REQUEST, fixed)
    asked = model.series() * MINUTES_A_MONTH
    yield Line("CloudWatch", "series read each minute", asked, prices.METRIC_REQUESTED, fixed)
    yield Line("CloudWatch", "alarms on dead-letter queues", consumers, prices.ALARM, fixed)
    polls = consumers * POLLERS / _LONG_POLL_SECONDS * SECONDS_A_MONTH
    yield Line("SQS", "polls of empty queues", polls, prices.SQS_REQUEST, fixed)


def _by_the_clock(model: Model, function: str, kind: str, times: float) -> Iterator[Line]:
    def each(figure: str) -> float:
        return times * model.figures.upkeep(f"{kind}.{figure}")

    fixed = Nature.FIXED
    gigabytes = model.topology.function(function).memory_mb / 1024
    busy = model.seconds(function, each("cpuMs"), each("stages")) * gigabytes
    yield Line("Lambda", f"{function}: GB-s", busy, prices.LAMBDA_GB_SECOND, fixed)
    yield Line("Lambda", f"{function}: calls", times, prices.LAMBDA_REQUEST, fixed)
    yield Line("DynamoDB", f"{function}: written", each("writeUnits"), prices.DYNAMODB_WRITE_UNIT, fixed)
    yield Line("DynamoDB", f"{function}: read", each("readUnits"), prices.DYNAMODB_READ_UNIT, fixed)
    yield Line("CloudWatch", f"{function}: log", each("logBytes") / GIB, prices.LOGS_INGESTED, fixed)


# --- what is there as long as there are any orders --------------------------------------------------------


def _traffic(model: Model, orders: float) -> Iterator[Line]:
    """Price what is billed by the minute, or the hour, in which anything happened at all."""
    read = model.buckets() * min(orders, MINUTES_A_MONTH)
    yield Line("CloudWatch", "histogram buckets read", read, prices.METRIC_REQUESTED, Nature.TRAFFIC)
    emitted = model.own_metrics() * min(orders / HOURS_A_MONTH, 1.0)
    yield Line("CloudWatch", "own metrics", emitted, prices.CUSTOM_METRIC, Nature.TRAFFIC)


# --- what each order adds ----------------------------------------------------------------------------------


def _function(model: Model, function: str, orders: float, batch: float) -> Iterator[Line]:
    gigabytes = model.topology.function(function).memory_mb / 1024
    busy = orders * model.busy_seconds(function, batch) * gigabytes
    yield Line("Lambda", f"{function}: GB-s", busy, prices.LAMBDA_GB_SECOND, Nature.ORDER)
    calls = orders * model.each(f"{function}.invocations", batch)
    yield Line("Lambda", f"{function}: calls", calls, prices.LAMBDA_REQUEST, Nature.ORDER)
    log = orders * model.each(f"{function}.logBytes", batch) / GIB
    yield Line("CloudWatch", f"{function}: log", log, prices.LOGS_INGESTED, Nature.ORDER)
    kept = log * model.topology.settings.log_days / _DAYS_A_MONTH
    yield Line("CloudWatch", f"{function}: log kept", kept, prices.LOGS_KEPT, Nature.ORDER)


def _events(model: Model, orders: float, batch: float) -> Iterator[Line]:
    events = orders * model.each("events", batch)
    yield Line("EventBridge", "events", events, prices.EVENTBRIDGE_EVENT, Nature.ORDER)
    archived = orders * model.each("eventBytes", batch) / GIB
    yield Line("EventBridge", "archived", archived, prices.EVENTBRIDGE_ARCHIVED, Nature.ORDER)
    kept = archived * model.topology.settings.archive_days / _DAYS_A_MONTH
    full = prices.EVENTBRIDGE_ARCHIVE_KEPT
    yield Line("EventBridge", "the archive, once it is full", kept, full, Nature.ORDER)
    requests = orders * model.each("messages", batch) * (1 + 2 / min(batch, RECEIVED_AT_ONCE))
    yield Line("SQS", "sent, received, deleted", requests, prices.SQS_REQUEST, Nature.ORDER)


def _tables(model: Model, orders: float, batch: float) -> Iterator[Line]:
    for table in ("orders", "inventory"):
        written = orders * model.each(f"writeUnits.{table}", batch)
        yield Line("DynamoDB", f"{table}: written", written, prices.DYNAMODB_WRITE_UNIT, Nature.ORDER)
    refused = orders * model.each("writeUnits.cancelled", batch)
    yield Line("DynamoDB", "refused: written", refused, prices.DYNAMODB_WRITE_UNIT, Nature.ORDER)
    read = orders * model.each("readUnits", batch)
    yield Line("DynamoDB", "orders: read", read, prices.DYNAMODB_READ_UNIT, Nature.ORDER)
    kept = orders * (model.each("largestItemBytes", batch) + _ITEM_OVERHEAD) / GIB
    yield Line("DynamoDB", "the month's orders, kept", kept, prices.DYNAMODB_KEPT, Nature.ORDER)
    yield Line("DynamoDB", "the same, recoverable", kept, prices.DYNAMODB_RECOVERABLE, Nature.ORDER)
