"""Places sample orders of every kind on the running stack and checks their outcomes."""

import json
import os
import secrets
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from scripts.common.errors import ToolError
from scripts.environment.environment import Environment
from services.shared.adapters.dynamodb_store import DynamoDBStore
from services.shared.ledger import Key, Order, Price, Status, Stock
from services.shared.log_events import LogEvent

DATA = Path(__file__).resolve().parents[1] / "data"
TENANT = "default"
DEAD_LETTER = "DEAD_LETTER"
BURST_SKU = "prod-001"

_ENTRIES = 10  # limit of PutEvents
_PAUSE = 0.05
_DEADLINE_SECONDS = 60.0
_BURSTS = 5
_REMOVED = "its dead letter was removed again; its log line stays."
_GONE = "its dead letter is no longer there: it was dropped, or it expired."


class _JsonModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Product(_JsonModel):
    sku: str
    name: str
    stock: int = Field(ge=0)
    unit_price_minor: int = Field(ge=0)
    currency: str

    @property
    def key(self) -> Key:
        return Key(TENANT, self.sku)


class Expectation(_JsonModel):
    status: str
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.status} ({self.reason})" if self.reason else self.status


class SampleOrder(_JsonModel):
    kind: str
    order: dict[str, Any]
    expect: Expectation
    copies: int = Field(default=1, ge=1)
    """How often the order is published; it must count once."""

    def placed(self, run: str) -> dict[str, Any]:
        return {"orderId": f"sample-{self.kind}-{run}", **self.order}


@dataclass(frozen=True, slots=True)
class SampleOrderOutcome:
    kind: str
    order_id: str
    expected: str
    actual: str
    note: str | None = None
    """What a reader would otherwise look for in vain."""

    @property
    def ok(self) -> bool:
        return self.expected == self.actual


@dataclass(frozen=True, slots=True)
class StockChange:
    sku: str
    name: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Burst:
    """Several short bursts, one after the other: other work on the machine distorts a single one."""

    orders: int
    confirmed: int
    rates: tuple[float, ...]
    """Orders per second of each."""
    load: float
    """The machine's load average of the last minute, when they had ended."""
    cpus: int

    @property
    def ok(self) -> bool:
        return self.confirmed == self.orders

    @property
    def orders_per_second(self) -> float:
        return statistics.median(self.rates)


@dataclass(frozen=True, slots=True)
class SamplesResult:
    outcomes: tuple[SampleOrderOutcome, ...]
    stock: tuple[StockChange, ...]
    burst: Burst

    @property
    def ok(self) -> bool:
        return self.burst.ok and all(outcome.ok for outcome in self.outcomes)


def catalogue(path: Path = DATA / "catalogue.json") -> tuple[Product, ...]:
    return TypeAdapter(tuple[Product, ...]).validate_json(path.read_bytes())


def sample_orders(path: Path = DATA / "sample-orders.json") -> tuple[SampleOrder, ...]:
    return TypeAdapter(tuple[SampleOrder, ...]).validate_json(path.read_bytes())


def seed(environment: Environment, products: Sequence[Product]) -> int:
    """Add missing products; return how many were added."""
    return _store(environment).seed(
        Stock(it.key, it.stock, 0, it.stock, Price(it.unit_price_minor, it.currency), it.name)
        for it in products
    )


def run_samples(
    environment: Environment,
    *,
    burst_orders: int = 200,
    timeout: float = _DEADLINE_SECONDS,
    progress: Callable[[str], None] = lambda _: None,
) -> SamplesResult:
    """Place every kind of order, then some bursts, and return the outcomes."""
    store, products = _store(environment), catalogue()
    seed(environment, products)
    _top_up(store, products, burst_orders)
    before = store.read_stock([it.key for it in products])
    run = f"{time.time_ns() // 1_000_000_000:x}{secrets.token_hex(2)}"
    samples = sample_orders()
    progress(f"Placing {len(samples)} sample orders ...")
    outcomes = _send_each_kind(environment, samples, run, timeout)
    progress(f"Placing {burst_orders} orders in short bursts ...")
    burst = _send_bursts(environment, burst_orders, run, timeout)
    after = store.read_stock([it.key for it in products])
    return SamplesResult(outcomes, _changes(products, before, after), burst)


def has_orders(environment: Environment) -> bool:
    return next(_store(environment).scan_orders(), None) is not None


def _changes(
    products: Sequence[Product], before: Mapping[Key, Stock], after: Mapping[Key, Stock]
) -> tuple[StockChange, ...]:
    return tuple(
        StockChange(it.sku, it.name, before[it.key].stock, after[it.key].stock)
        for it in products
        if before[it.key] != after[it.key]
    )


def _send_each_kind(
    environment: Environment, samples: Sequence[SampleOrder], run: str, timeout: float
) -> tuple[SampleOrderOutcome, ...]:
    started_at, deadline = datetime.now(UTC), time.monotonic() + timeout
    orders = {sample.kind: sample.placed(run) for sample in samples}
    _place(environment, [orders[sample.kind] for sample in samples for _ in range(sample.copies)])
    poison = {orders[it.kind]["orderId"] for it in samples if it.expect.status == DEAD_LETTER}
    valid = [it["orderId"] for it in orders.values() if it["orderId"] not in poison]
    settled = _wait_until_settled(environment, valid, deadline)
    actual = {order_id: _describe(order) for order_id, order in settled.items()}
    notes = _dead_lettered(environment, poison, started_at, deadline)
    actual |= dict.fromkeys(notes, DEAD_LETTER)
    return tuple(
        SampleOrderOutcome(
            kind=sample.kind,
            order_id=orders[sample.kind]["orderId"],
            expected=str(sample.expect),
            actual=actual.get(orders[sample.kind]["orderId"], "timed out"),
            note=notes.get(orders[sample.kind]["orderId"]),
        )
        for sample in samples
    )


def _dead_lettered(
    environment: Environment, poison: set[str], since: datetime, deadline: float
) -> dict[str, str]:
    """Return the orders that every consumer of OrderPlaced dead-lettered, and what became of the messages."""
    notes = dict.fromkeys(poison, _REMOVED)
    for name, consumer in environment.topology.consumers.items():
        if "OrderPlaced" not in consumer.subscriptions:
            continue
        found = _collect_dead_letters(environment, name, poison, deadline)
        logged = _logged_as_poison(environment, name, since) if found != poison else set()
        notes = {
            order_id: note if order_id in found else _GONE
            for order_id, note in notes.items()
            if order_id in found | logged
        }
    return notes


def _logged_as_poison(environment: Environment, function: str, since: datetime) -> set[str]:
    """Return the orders that a function has sent to its dead-letter queue, whatever became of them there."""
    pages = (
        environment.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=environment.names.log_group(function), startTime=int(since.timestamp() * 1000))
    )
    lines = (_json_object(event["message"]) for page in pages for event in page["events"])
    return {str(it.get("order_id")) for it in lines if it.get("event") == LogEvent.MESSAGE_POISON}


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _send_bursts(environment: Environment, count: int, run: str, timeout: float) -> Burst:
    """Place the orders in several bursts, each when the one before is settled."""
    deadline = time.monotonic() + timeout
    orders: list[dict[str, Any]] = [
        {
            "orderId": f"sample-burst-{run}-{number}",
            "customerId": f"customer-{number % 50}",
            "items": [{"sku": BURST_SKU, "quantity": 1}],
        }
        for number in range(count)
    ]
    confirmed, rates = 0, []
    for burst in filter(None, (orders[number::_BURSTS] for number in range(_BURSTS))):
        started = time.monotonic()
        _place(environment, burst)
        settled = _wait_until_settled(environment, [order["orderId"] for order in burst], deadline)
        rates.append(len(settled) / (time.monotonic() - started))
        confirmed += sum(it.status is Status.CONFIRMED for it in settled.values())
    return Burst(count, confirmed, tuple(rates), os.getloadavg()[0], os.cpu_count() or 1)


def _place(environment: Environment, orders: Sequence[Mapping[str, Any]]) -> None:
    events = environment.client("events")
    for start in range(0, len(orders), _ENTRIES):
        response = events.put_events(
            Entries=[
                {
                    "Source": "pulsequeue.samples",
                    "DetailType": "OrderPlaced",
                    "Detail": json.dumps(order),
                    "EventBusName": environment.names.bus,
                }
                for order in orders[start : start + _ENTRIES]
            ]
        )
        if response["FailedEntryCount"]:
            raise ToolError("the bus rejected sample orders; check `pulsequeue status`.")


def _wait_until_settled(
    environment: Environment, order_ids: Sequence[str], deadline: float
) -> dict[str, Order]:
    """Poll until every order is settled or the deadline passes; return the settled ones."""
    store = _store(environment)
    waiting = {Key(TENANT, order_id) for order_id in order_ids}
    settled: dict[str, Order] = {}
    while waiting and time.monotonic() < deadline:
        done = {
            key: order
            for key, order in store.read_orders(waiting).items()
            if order.status is not Status.RESERVED
        }
        settled |= {key.id: order for key, order in done.items()}
        waiting -= done.keys()
        if waiting:
            time.sleep(_PAUSE)
    return settled


def _collect_dead_letters(
    environment: Environment, function: str, order_ids: set[str], deadline: float
) -> set[str]:
    """Wait for these orders in a dead-letter queue and delete them; other messages stay."""
    sqs, url = environment.client("sqs"), environment.dead_letter_url(function)
    found: set[str] = set()
    others: list[str] = []
    while found != order_ids and time.monotonic() < deadline:
        response = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=30
        )
        for message in response.get("Messages", []):
            order_id = _order_id(message["Body"])
            if order_id in order_ids:
                found.add(order_id)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            else:
                others.append(message["ReceiptHandle"])
    for handle in others:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    return found


def _order_id(body: str) -> str:
    try:
        return str(json.loads(body)["detail"]["orderId"])
    except (ValueError, LookupError, TypeError):
        return ""


def _top_up(store: DynamoDBStore, products: Sequence[Product], burst_orders: int) -> None:
    """Restock products that the samples would sell out."""
    for product, stock in _running_low(store, products, burst_orders):
        store.adjust(product.key, max(product.stock, burst_orders) - stock.available)


def _running_low(
    store: DynamoDBStore, products: Sequence[Product], burst_orders: int
) -> Iterator[tuple[Product, Stock]]:
    needs = {BURST_SKU: burst_orders}
    for sample in sample_orders():
        if sample.expect.status == Status.CONFIRMED:
            for item in sample.order["items"]:
                needs[item["sku"]] = needs.get(item["sku"], 0) + item["quantity"]
    stocks = store.read_stock([it.key for it in products])
    for product in products:
        stock = stocks[product.key]
        if stock.available < needs.get(product.sku, 0):
            yield product, stock


def _describe(order: Order) -> str:
    return str(Expectation(status=order.status.value, reason=order.reason))


def _store(environment: Environment) -> DynamoDBStore:
    return DynamoDBStore(
        environment.client("dynamodb"),
        inventory_table=environment.names.inventory_table,
        orders_table=environment.names.orders_table,
    )
