"""The handlers of the order pipeline in this process, bound as on AWS, over an emulator and under a wiretap.

Time is the one thing that is not real: reservations have to run out without anybody waiting for it.
"""

import io
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import uuid4

from benchmarks.wiretap import Heard, Wiretap
from scripts.environment import Clients
from scripts.local import emulator as ministack
from services.order.service import OrderService
from services.payment.service import PaymentService
from services.payment.simulated import SimulatedGateway
from services.shared.aws import CONCURRENCY
from services.shared.bus import EventBridgeBus
from services.shared.dynamodb_store import DynamoDBStore, Kind, Spent, TableRole
from services.shared.events import (
    Event,
    OrderCancellationRequested,
    OrderPlaced,
    PaymentRequested,
    RefundRequested,
)
from services.shared.group_commit import GroupCommit
from services.shared.inbox import Handle, Inbox, SqsDeadLetters
from services.shared.runtime import utc_now
from services.shared.telemetry import PowertoolsTelemetry

T = TypeVar("T")
R = TypeVar("R")

INVENTORY, ORDERS, METRICS = "bench-inventory", "bench-orders", "bench-metrics"
BUS = "bench"
_REPORT = (
    "START RequestId: {id} Version: $LATEST\n"
    "END RequestId: {id}\n"
    "REPORT RequestId: {id}\tDuration: 123.45 ms\tBilled Duration: 124 ms\t"
    "Memory Size: 1024 MB\tMax Memory Used: 120 MB\t\n"
)
"""What Lambda itself writes for each call."""
_LOG_EVENT_BYTES = 26
"""What CloudWatch Logs adds to each line when it bills."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One call of a handler: what it took, and what it said."""

    cpu_seconds: float
    wall_seconds: float
    heard: Heard
    log: str

    @property
    def log_bytes(self) -> int:
        whole = self.log + _REPORT.format(id=uuid4())
        return len(whole.encode()) + _LOG_EVENT_BYTES * whole.count("\n")


class Workshop:
    """Functions by name, each called with one batch of messages."""

    def __init__(self, clients: Clients, tap: Wiretap, log: io.StringIO, hold: timedelta) -> None:
        self._clients, self._tap, self._log = clients, tap, log
        self._pool = ThreadPoolExecutor(max_workers=CONCURRENCY)
        for service in ("dynamodb", "events"):
            tap.listen(service, self.client(service).meta.events)
        self.store = self._store(lambda *_: None)
        self._functions = self._bind(hold)

    def run(self, function: str, bodies: Sequence[str]) -> Ran:
        """Call a function with one batch, which must go through whole."""
        event = {"Records": [{"messageId": str(uuid4()), "body": body} for body in bodies]}
        with self.listening() as ended:
            said = self._functions[function](event)
        if said["batchItemFailures"]:
            raise RuntimeError(f"{function} gave back {len(said['batchItemFailures'])} messages")
        return ended()

    @contextmanager
    def listening(self) -> Iterator[Callable[[], Ran]]:
        """Measure what happens inside; what is yielded tells it afterwards."""
        self._tap.take()
        start = self._log.tell()
        cpu, wall = time.process_time(), time.perf_counter()
        ran: list[Ran] = []
        yield lambda: ran[0]
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        ran.append(Ran(cpu, wall, self._tap.take(), self._log.getvalue()[start:]))

    def _bind(self, hold: timedelta) -> Mapping[str, Callable[[object], Any]]:
        """Do as each service's bootstrap does."""

        def late() -> datetime:
            return utc_now() + 2 * hold  # the hold is over whenever the expiry looks

        order, payment = self.telemetry("order"), self.telemetry("payment")
        placing = OrderService(self._ledger(order), self._bus("order"), order, clock=utc_now, hold=hold)
        expiring = OrderService(self._ledger(order), self._bus("order"), order, clock=late, hold=hold)
        paying = PaymentService(
            self._ledger(payment),
            self._bus("payment"),
            SimulatedGateway(),
            payment,
            clock=utc_now,
            run=self._at_once,
        )
        return {
            "order": self._entry("order", order, [OrderPlaced, OrderCancellationRequested], placing.handle),
            "payment": self._entry("payment", payment, [PaymentRequested, RefundRequested], paying.handle),
            "expiry": self._entry("expiry", order, [PaymentRequested], expiring.expire),
        }

    def _entry(
        self, name: str, telemetry: PowertoolsTelemetry, accepts: Sequence[type[Event]], handle: Handle
    ) -> Callable[[object], Any]:
        nowhere = SqsDeadLetters(self.client("sqs"), queue_url="", consumer=name)
        inbox = Inbox(name, accepts, handle, nowhere, telemetry)

        def invoke(event: object) -> Any:  # noqa: ANN401 - what Lambda takes
            with telemetry.invocation(None):
                return inbox.receive(event)

        return invoke

    def _ledger(self, telemetry: PowertoolsTelemetry) -> GroupCommit:
        def spent(table: TableRole, kind: Kind, units: float) -> None:
            telemetry.count("dynamodb_capacity_units_total", units, table=table, kind=kind)

        return GroupCommit(self._store(spent), run=self._at_once)

    def _store(self, spent: Spent) -> DynamoDBStore:
        return DynamoDBStore(
            self.client("dynamodb"), inventory_table=INVENTORY, orders_table=ORDERS, spent=spent
        )

    def _bus(self, service: str) -> EventBridgeBus:
        return EventBridgeBus(
            self.client("events"), bus_name=BUS, source=f"pulsequeue.{service}", run=self._at_once
        )

    def telemetry(self, service: str) -> PowertoolsTelemetry:
        return PowertoolsTelemetry(service, "bench-pulsequeue")

    def client(self, service: Any) -> Any:  # noqa: ANN401 - of any service
        return self._clients.client(service)

    def _at_once(self, function: Callable[[T], R], items: Iterable[T]) -> Iterable[R]:
        work = list(items)
        return map(function, work) if len(work) == 1 else self._pool.map(function, work)


@contextmanager
def open_workshop(hold: timedelta) -> Iterator[Workshop]:
    """Start an emulator with the tables and the bus, and catch what is logged."""
    os.environ["POWERTOOLS_TRACE_DISABLED"] = "true"  # nothing here takes traces
    log = io.StringIO()
    with TemporaryDirectory() as home:
        started = ministack.start(Path(home), ministack.free_port())
        try:
            clients = Clients.of_emulator(
                started.endpoint, ministack.REGION, ministack.ACCESS_KEY_ID, ministack.SECRET_ACCESS_KEY
            )
            for table in (INVENTORY, ORDERS, METRICS):
                clients.client("dynamodb").create_table(
                    TableName=table,
                    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                    BillingMode="PAY_PER_REQUEST",
                )
            clients.client("events").create_event_bus(Name=BUS)
            with redirect_stdout(log):
                yield Workshop(clients, Wiretap(), log, hold)
        finally:
            ministack.stop(started)


def message(entry: Mapping[str, Any]) -> str:
    """Write the body that a queue gets of an event, as EventBridge writes it."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": "000000000000",
            "time": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": ministack.REGION,
            "resources": [],
            "detail": json.loads(entry["Detail"]),
        }
    )
