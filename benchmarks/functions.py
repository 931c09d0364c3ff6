"""The order and the payment function inside this process, on the tables and the bus of an emulator.

Wired as services/*/bootstrap.py wires them, but so that a benchmark can choose how calls are run and can see
the calls its clients make.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import botocore.session
from botocore.config import Config

from benchmarks.emulated import Emulated
from scripts.silence import Silence
from services.order.domain import announce
from services.order.service import OrderService
from services.payment.service import PaymentService
from services.payment.simulated import SimulatedGateway
from services.shared.aws import CONCURRENCY, Clients
from services.shared.bus import EventBridgeBus
from services.shared.dynamodb_store import DynamoDBStore
from services.shared.events import OrderCancellationRequested, OrderPlaced, PaymentRequested, RefundRequested
from services.shared.group_commit import GroupCommit
from services.shared.inbox import Handle, Inbox, SqsDeadLetters
from services.shared.ledger import Key, Price, Stock
from services.shared.telemetry import PowertoolsTelemetry

Run = Callable[..., Iterable[Any]]
Spoken = PowertoolsTelemetry | Silence
TENANT = "default"
_PLENTY = 1_000_000_000
_BUS = "bench-pulsequeue"


@dataclass(frozen=True, slots=True)
class Context:
    """As much of Lambda's as anybody asks for."""

    aws_request_id: str = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Place:
    """The tables and the bus that functions work on."""

    aws: Emulated
    inventory: str
    orders: str
    bus: str

    @classmethod
    def on(cls, aws: Emulated, suffix: str = "", *, old_orders: bool = False) -> "Place":
        """Make both tables, but for that of the orders when it comes from elsewhere with old orders in it."""
        events = aws.clients.client("events")
        with contextlib.suppress(events.exceptions.ResourceAlreadyExistsException):
            events.create_event_bus(Name=_BUS)
        orders = f"bench-pulsequeue-orders{suffix}"
        if not old_orders:
            aws.table(orders)
        return cls(aws, aws.table(f"bench-pulsequeue-inventory{suffix}"), orders, _BUS)

    def stock(self, skus: Iterable[str]) -> None:
        books = self.books()
        books.seed(Stock(Key(TENANT, sku), _PLENTY, 0, _PLENTY, Price(1_999, "USD")) for sku in skus)

    def books(self) -> DynamoDBStore:
        return DynamoDBStore(
            self.aws.clients.client("dynamodb"), inventory_table=self.inventory, orders_table=self.orders
        )

    def payment_requests(self, order_ids: Sequence[str]) -> list[str]:
        """What the order function has told the payment function of these orders, as message bodies."""
        orders = self.books().read_orders([Key(TENANT, order_id) for order_id in order_ids])
        return [
            envelope(event.detail_type(), json.loads(event.wire()), "pulsequeue.order")
            for order_id in order_ids
            for event in announce(orders[Key(TENANT, order_id)])
        ]


@dataclass(frozen=True)
class Calls:
    """The clients that functions call AWS by."""

    dynamodb: Any
    events: Any
    sqs: Any

    @classmethod
    def as_deployed(cls) -> "Calls":
        clients = Clients()
        return cls(clients.dynamodb(), clients.events(), clients.sqs())

    @classmethod
    def plain(cls) -> "Calls":
        """As botocore makes them when nobody says otherwise, but for the room for calls side by side."""
        make = botocore.session.get_session().create_client
        config = Config(max_pool_connections=CONCURRENCY)
        return cls(*(make(service, config=config) for service in ("dynamodb", "events", "sqs")))


class Functions:
    """The functions of one process. Calls run at once as when deployed, unless told to run one by one."""

    def __init__(
        self,
        place: Place,
        *,
        run: Run | None = None,
        calls: Calls | None = None,
        telemetry: Callable[[str, str], Spoken] = PowertoolsTelemetry,
    ) -> None:
        self.calls = calls or Calls.as_deployed()
        self._pool = ThreadPoolExecutor(max_workers=CONCURRENCY)
        at_once = run or self.at_once

        def entry(consumer: str, accepts: Sequence[Any], made: Callable[..., Handle]) -> Callable[[Any], Any]:
            spoken = telemetry(consumer, "bench-pulsequeue")
            store = DynamoDBStore(
                self.calls.dynamodb,
                inventory_table=place.inventory,
                orders_table=place.orders,
                spent=lambda table, kind, units: spoken.count(
                    "dynamodb_capacity_units_total", units, table=table, kind=kind
                ),
            )
            bus = EventBridgeBus(
                self.calls.events, bus_name=place.bus, source=f"pulsequeue.{consumer}", run=at_once
            )
            dead = SqsDeadLetters(self.calls.sqs, queue_url="nowhere", consumer=consumer)
            handle = made(GroupCommit(store, run=at_once), bus, spoken)
            inbox = Inbox(consumer, accepts, handle, dead, spoken)

            def invoke(event: Any) -> Any:  # noqa: ANN401 - Lambda's own
                with spoken.invocation(Context()):
                    return inbox.receive(event)

            return invoke

        self._order = entry(
            "order",
            [OrderPlaced, OrderCancellationRequested],
            lambda ledger, bus, telemetry: (
                OrderService(ledger, bus, telemetry, clock=_now, hold=timedelta(minutes=15)).handle
            ),
        )
        self._payment = entry(
            "payment",
            [PaymentRequested, RefundRequested],
            lambda ledger, bus, telemetry: (
                PaymentService(ledger, bus, SimulatedGateway(), telemetry, clock=_now, run=at_once).handle
            ),
        )

        self._expiry = entry(
            "expiry",
            [PaymentRequested],
            lambda ledger, bus, telemetry: (
                OrderService(ledger, bus, telemetry, clock=_late, hold=timedelta(minutes=15)).expire
            ),
        )

    def at_once(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
        work = list(items)
        return map(function, work) if len(work) == 1 else self._pool.map(function, work)

    def place(self, bodies: Sequence[str], batch: int) -> None:
        _deliver(self._order, bodies, batch)

    def pay(self, bodies: Sequence[str], batch: int) -> None:
        _deliver(self._payment, bodies, batch)

    def expire(self, bodies: Sequence[str], batch: int) -> None:
        _deliver(self._expiry, bodies, batch)


def placed(order_id: str, sku: str) -> str:
    """The body of a message with an order for one unit, as the queue hands it over."""
    detail = {"orderId": order_id, "customerId": "customer-0001", "items": [{"sku": sku, "quantity": 1}]}
    return envelope("OrderPlaced", detail, "shop")


def envelope(name: str, detail: object, source: str) -> str:
    return json.dumps(
        {
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "detail-type": name,
            "source": source,
            "account": "000000000000",
            "time": "2026-01-31T12:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        }
    )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let functions write their log as they do on Lambda, where nobody reads it."""
    with contextlib.redirect_stdout(_nowhere()):
        yield


@cache
def _nowhere() -> TextIO:
    # One for the life of the process: a logger keeps the first stream it is given.
    return Path(os.devnull).open("w", encoding="utf-8")


def _deliver(invoke: Callable[[Any], Any], bodies: Sequence[str], batch: int) -> None:
    for start in range(0, len(bodies), batch):
        records = [
            {"messageId": f"m{start + n}", "body": body}
            for n, body in enumerate(bodies[start : start + batch])
        ]
        if again := invoke({"Records": records})["batchItemFailures"]:
            raise RuntimeError(f"{len(again)} messages were sent back")


def _now() -> datetime:
    return datetime.now(UTC)


def _late() -> datetime:
    """When every hold is over."""
    return _now() + timedelta(hours=1)
