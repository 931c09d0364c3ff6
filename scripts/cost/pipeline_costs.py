"""The monthly bill of the order pipeline, and of an environment around it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scripts.cost import prices
from scripts.cost.bill import Bill, BillLine, CostDriver
from scripts.cost.environments import EnvironmentSize
from scripts.cost.fixed_costs import environment_costs
from scripts.cost.model import POLLERS, Model, requests, without_database
from scripts.cost.prices import GIB, HOURS_A_MONTH, MINUTES_A_MONTH, SECONDS_A_MONTH
from scripts.cost.read_side import ProjectionTimes, ReadSideMonth
from scripts.cost.way_in import way_in_costs

_LONG_POLL_SECONDS = 20
_SCRAPES = MINUTES_A_MONTH * 2
_ITEM_OVERHEAD = 100
"""Bytes that DynamoDB adds to each item for billing."""
_DAYS_A_MONTH = HOURS_A_MONTH / 24


@dataclass(frozen=True, slots=True)
class Deployed:
    """An environment, and how long its read side takes for an event."""

    environment: EnvironmentSize
    projection: ProjectionTimes


def monthly(model: Model, orders: float, deployed: Deployed | None = None) -> Bill:
    """Return the bill of a month with so many orders, spread evenly over it.

    Without an environment it covers the pipeline and its metrics only.
    """
    if deployed and deployed.environment.database is None:
        model = replace(model, topology=without_database(model.topology))
    batches = model.batches(orders / SECONDS_A_MONTH)
    lines = [*_fixed(model), *_traffic(model, orders)]
    for function, batch in batches.items():
        lines += _function(model, function, orders, batch)
    lines += _events(model, orders, batches["order"])
    lines += _tables(model, orders, batches["order"])
    if model.http:
        lines += way_in_costs(model, model.http, orders)
    if deployed:
        lines += _environment(model, orders, deployed)
    return Bill(orders, batches, lines)


def _environment(model: Model, orders: float, deployed: Deployed) -> Iterator[BillLine]:
    environment, read_side = deployed.environment, None
    if environment.database:
        read_side = ReadSideMonth.of(model, environment.database, deployed.projection, orders)
        yield from read_side.lines()
    yield from environment_costs(model, environment, orders, read_side)


# --- without orders ------------------------------------------------------------------------------------


def _fixed(model: Model) -> Iterator[BillLine]:
    fixed = CostDriver.FIXED
    consumers, scrapes = len(model.topology.consumers), _SCRAPES * model.assumed.scrapers
    yield from _scheduled(model, "collector", "collection", model.collections)
    yield from _scheduled(model, "exposition", "scrape", scrapes)
    yield BillLine("Scheduler", "collections", model.collections, prices.SCHEDULER_CALL, fixed)
    yield BillLine("API Gateway", "scrapes", scrapes, prices.HTTP_API_REQUEST, fixed)
    requested = model.series() * model.collections
    yield BillLine("CloudWatch", "series read at each collection", requested, prices.METRIC_REQUESTED, fixed)
    reread = model.counters() * HOURS_A_MONTH
    yield BillLine("CloudWatch", "counters re-read hourly", reread, prices.METRIC_REQUESTED, fixed)
    yield BillLine("CloudWatch", "alarms on dead-letter queues", consumers, prices.ALARM, fixed)
    polls = consumers * POLLERS / _LONG_POLL_SECONDS * SECONDS_A_MONTH
    yield BillLine("SQS", "polls of empty queues", polls, prices.SQS_REQUEST, fixed)


def _scheduled(model: Model, function: str, mix: str, times: float) -> Iterator[BillLine]:
    def total(figure: str) -> float:
        return times * model.figures.scheduled(f"{mix}.{figure}")

    fixed = CostDriver.FIXED
    gigabytes = model.topology.function(function).memory_mb / 1024
    busy = model.seconds(function, total("cpuMs"), total("stages")) * gigabytes
    yield BillLine("Lambda", f"{function}: GB-s", busy, prices.LAMBDA_GB_SECOND, fixed)
    yield BillLine("Lambda", f"{function}: invocations", times, prices.LAMBDA_REQUEST, fixed)
    yield BillLine("DynamoDB", f"{function}: writes", total("writeUnits"), prices.DYNAMODB_WRITE_UNIT, fixed)
    yield BillLine("DynamoDB", f"{function}: reads", total("readUnits"), prices.DYNAMODB_READ_UNIT, fixed)
    yield BillLine("CloudWatch", f"{function}: log", total("logBytes") / GIB, prices.LOGS_INGESTED, fixed)


# --- while there are orders ----------------------------------------------------------------------------


def _traffic(model: Model, orders: float) -> Iterator[BillLine]:
    """Costs of each minute, or hour, with at least one order."""
    read = model.buckets() * min(orders, model.collections)
    yield BillLine("CloudWatch", "histogram buckets read", read, prices.METRIC_REQUESTED, CostDriver.TRAFFIC)
    emitted = model.own_metrics() * min(orders / HOURS_A_MONTH, 1.0)
    yield BillLine("CloudWatch", "custom metrics", emitted, prices.CUSTOM_METRIC, CostDriver.TRAFFIC)


# --- per order -----------------------------------------------------------------------------------------


def _function(model: Model, function: str, orders: float, batch: float) -> Iterator[BillLine]:
    gigabytes = model.topology.function(function).memory_mb / 1024
    busy = orders * model.busy_seconds(function, batch) * gigabytes
    yield BillLine("Lambda", f"{function}: GB-s", busy, prices.LAMBDA_GB_SECOND, CostDriver.ORDER)
    calls = orders * model.each(f"{function}.invocations", batch)
    yield BillLine("Lambda", f"{function}: invocations", calls, prices.LAMBDA_REQUEST, CostDriver.ORDER)
    log = orders * model.each(f"{function}.logBytes", batch) / GIB
    yield BillLine("CloudWatch", f"{function}: log", log, prices.LOGS_INGESTED, CostDriver.ORDER)
    stored = log * model.topology.settings.log_days / _DAYS_A_MONTH
    yield BillLine("CloudWatch", f"{function}: log storage", stored, prices.LOGS_STORAGE, CostDriver.ORDER)


def _events(model: Model, orders: float, batch: float) -> Iterator[BillLine]:
    events = orders * model.each("events", batch)
    yield BillLine("EventBridge", "events", events, prices.EVENTBRIDGE_EVENT, CostDriver.ORDER)
    archived = orders * model.each("eventBytes", batch) / GIB
    yield BillLine("EventBridge", "archived", archived, prices.EVENTBRIDGE_ARCHIVED, CostDriver.ORDER)
    stored = archived * model.topology.settings.archive_days / _DAYS_A_MONTH
    full = prices.EVENTBRIDGE_ARCHIVE_STORAGE
    yield BillLine("EventBridge", "archive storage, once full", stored, full, CostDriver.ORDER)
    requested = orders * model.each("messages", batch) * requests(batch)
    yield BillLine("SQS", "send, receive, delete", requested, prices.SQS_REQUEST, CostDriver.ORDER)


def _tables(model: Model, orders: float, batch: float) -> Iterator[BillLine]:
    for table in ("orders", "inventory"):
        written = orders * model.each(f"writeUnits.{table}", batch)
        yield BillLine("DynamoDB", f"{table}: writes", written, prices.DYNAMODB_WRITE_UNIT, CostDriver.ORDER)
    cancelled = orders * model.each("writeUnits.cancelled", batch)
    yield BillLine("DynamoDB", "cancelled writes", cancelled, prices.DYNAMODB_WRITE_UNIT, CostDriver.ORDER)
    read = orders * model.each("readUnits", batch)
    yield BillLine("DynamoDB", "orders: reads", read, prices.DYNAMODB_READ_UNIT, CostDriver.ORDER)
    stored = orders * (model.each("largestItemBytes", batch) + _ITEM_OVERHEAD) / GIB
    yield BillLine(
        "DynamoDB", "storage of the month's orders", stored, prices.DYNAMODB_STORAGE, CostDriver.ORDER
    )
    yield BillLine(
        "DynamoDB", "point-in-time recovery of these", stored, prices.DYNAMODB_RECOVERY, CostDriver.ORDER
    )
