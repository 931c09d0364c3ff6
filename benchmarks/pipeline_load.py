"""Puts a load on a running stack, waits for its end, and reads from the stored orders how they fared."""

import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from scripts.environment import Environment, open_environment
from scripts.local import emulator, stack
from services.shared.dynamodb_store import DynamoDBStore
from services.shared.events import rfc3339
from services.shared.ledger import Key, Order, Price, Status, Stock

TENANT = "default"
_PLENTY = 1_000_000_000
_PUBLISHERS = 4
_ENTRIES = 10
_CONSUMERS = ("order", "payment")
_DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Level:
    """What became of one load."""

    wanted: float
    """Orders a second that were to be published."""
    offered: float
    """Orders a second that were."""
    settled: float
    """Orders a second from the first one placed to the last one settled."""
    seconds: Sequence[float]
    """From placed to settled, of each order."""
    emulator: float
    """Cores that the emulator kept busy."""
    functions: float
    """Cores that the functions kept busy."""


@dataclass(frozen=True)
class Running:
    environment: Environment
    emulator: psutil.Process

    def stock(self, skus: Sequence[str]) -> None:
        self.books().seed(Stock(Key(TENANT, sku), _PLENTY, 0, _PLENTY, Price(1_999, "USD")) for sku in skus)

    def books(self) -> DynamoDBStore:
        names = self.environment.names
        return DynamoDBStore(
            self.environment.client("dynamodb"),
            inventory_table=names.inventory_table,
            orders_table=names.orders_table,
        )

    def batches(self, size: int | None) -> None:
        """Have the functions take batches of this size; None is what they are deployed with."""
        functions = self.environment.client("lambda")
        for name in _CONSUMERS:
            spec = self.environment.topology.consumer(name)
            there = functions.list_event_source_mappings(FunctionName=self.environment.names.function(name))
            for mapping in there["EventSourceMappings"]:
                functions.update_event_source_mapping(
                    UUID=mapping["UUID"],
                    BatchSize=size or spec.batch_size,
                    MaximumBatchingWindowInSeconds=spec.batch_window_seconds if size is None else 0,
                )

    def under(self, run: str, rate: float, seconds: float, skus: Sequence[str]) -> Level:
        ids = [f"{run}-{n:05}" for n in range(max(1, round(rate * seconds)))]
        before, started = self._cpu(), time.perf_counter()
        offered = self._publish(ids, rate, list(islice(cycle(skus), len(ids))))
        orders = self._all_settled(ids)
        wall, after = time.perf_counter() - started, self._cpu()
        ended = [_settled_at(order) for order in orders]
        span = (max(ended) - min(order.placed_at for order in orders)).total_seconds()
        return Level(
            rate,
            offered,
            len(ids) / span,
            [(end - order.placed_at).total_seconds() for order, end in zip(orders, ended, strict=True)],
            (after[0] - before[0]) / wall,
            (after[1] - before[1]) / wall,
        )

    def _publish(self, ids: Sequence[str], rate: float, skus: Sequence[str]) -> float:
        """Publish in tens, each when it is due, or as soon after that as the bus takes it."""
        started = time.perf_counter()
        chunks = [
            list(zip(ids, skus, strict=True))[at : at + _ENTRIES] for at in range(0, len(ids), _ENTRIES)
        ]

        def send(number: int) -> None:
            due = started + number * _ENTRIES / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            entries: list[Any] = [
                {
                    "EventBusName": self.environment.names.bus,
                    "Source": "bench.shop",
                    "DetailType": "OrderPlaced",
                    "Detail": json.dumps(_order(*one)),
                }
                for one in chunks[number]
            ]
            if self.environment.client("events").put_events(Entries=entries)["FailedEntryCount"]:
                raise RuntimeError("the bus did not take the orders")

        with ThreadPoolExecutor(max_workers=_PUBLISHERS) as pool:
            list(pool.map(send, range(len(chunks))))
        return len(ids) / (time.perf_counter() - started)

    def _all_settled(self, ids: Sequence[str]) -> list[Order]:
        # Looking at the orders costs the emulator; the queues tell at little cost when it is time to.
        keys, books = [Key(TENANT, order_id) for order_id in ids], self.books()
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.2)
            if self._waiting():
                continue
            orders = books.read_orders(keys)
            if len(orders) == len(keys) and all(it.status is not Status.RESERVED for it in orders.values()):
                return list(orders.values())
        raise RuntimeError(f"the load of {len(ids)} orders did not settle in {_DEADLINE_SECONDS:.0f} s")

    def _waiting(self) -> int:
        return sum(
            int(number)
            for name in _CONSUMERS
            for number in self.environment.client("sqs")
            .get_queue_attributes(
                QueueUrl=self.environment.queue_url(name),
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )["Attributes"]
            .values()
        )

    def _cpu(self) -> tuple[float, float]:
        """Processor seconds so far, of the emulator and of the functions it started."""
        workers = 0.0
        for child in self.emulator.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            workers += times.user + times.system
        own = self.emulator.cpu_times()
        return own.user + own.system, workers


@contextmanager
def running() -> Iterator[Running]:
    """A local stack of one's own."""
    with TemporaryDirectory(prefix="pulsequeue-bench-") as folder:
        home = Path(folder)
        state = stack.up(stack.StackOptions(port=emulator.free_port()), home=home)
        try:
            process = next(it for it in state.processes if it.name == stack.EMULATOR)
            yield Running(open_environment("local", home=home), psutil.Process(process.pid))
        finally:
            stack.down(home=home)


def _order(order_id: str, sku: str) -> dict[str, object]:
    return {
        "orderId": order_id,
        "customerId": "customer-0001",
        "items": [{"sku": sku, "quantity": 1}],
        "placedAt": rfc3339(datetime.now(UTC)),
    }


def _settled_at(order: Order) -> datetime:
    return order.history[-1].at
