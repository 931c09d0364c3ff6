"""The monthly bill: what orders take, and what is there to take it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scripts.cost import prices
from scripts.cost.environment import Environment
from scripts.cost.fixed_costs import surroundings
from scripts.cost.lines import Bill, Line, Nature
from scripts.cost.model import POLLERS, Model, requests, without_database
from scripts.cost.prices import GIB, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH
from scripts.cost.read_side import Projected, Projection

_LONG_POLL_SECONDS = 20
_SCRAPES = MINUTES_A_MONTH * 2
_ITEM_OVERHEAD = 100
"""Bytes that DynamoDB adds to each item when it bills storage."""
_DAYS_A_MONTH = HOURS_A_MONTH / 24


@dataclass(frozen=True, slots=True)
class Deployed:
    """Where the pipeline is, and what its events take of the read side there."""

    environment: Environment
    projected: Projected


def monthly(model: Model, orders: float, deployed: Deployed | None = None) -> Bill:
    """Write the bill of a month with so many orders, spread evenly over it.

    Without an environment it is that of the pipeline and its metrics alone.
    """
    if deployed and deployed.environment.database is None:
        model = replace(model, topology=without_database(model.topology))
    batches = model.batches(orders / SECONDS_A_MONTH)
    lines = [*_upkeep(model), *_traffic(model, orders)]
    for function, batch in batches.items():
        lines += _function(model, function, orders, batch)
    lines += _events(model, orders, batches["order"])
    lines += _tables(model, orders, batches["order"])
    if deployed:
        lines += _around(model, orders, deployed)
    return Bill(orders, batches, lines)


def _around(model: Model, orders: float, deployed: Deployed) -> Iterator[Line]:
    environment, projection = deployed.environment, None
    if environment.database:
        projection = Projection.of(model, environment.database, deployed.projected, orders)
        yield from projection.lines()
    yield from surroundings(model, environment, orders, projection)


# --- what is there without a single order ---------------------------------------------------------------


def _upkeep(model: Model) -> Iterator[Line]:
    fixed = Nature.FIXED
    consumers, scrapes = len(model.topology.consumers), _SCRAPES * model.assumed.scrapers
    yield from _by_the_clock(model, "collector", "collection", model.collections)
    yield from _by_the_clock(model, "exposition", "scrape", scrapes)
    yield Line("Scheduler", "collections", model.collections, prices.SCHEDULER_CALL, fixed)
    yield Line("API Gateway", "scrapes", scrapes, prices.HTTP_API_REQUEST, fixed)
    asked = model.series() * model.collections
    yield Line("CloudWatch", "series read at each collection", asked, prices.METRIC_REQUESTED, fixed)
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
    read = model.buckets() * min(orders, model.collections)
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
    asked = orders * model.each("messages", batch) * requests(batch)
    yield Line("SQS", "sent, received, deleted", asked, prices.SQS_REQUEST, Nature.ORDER)


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
