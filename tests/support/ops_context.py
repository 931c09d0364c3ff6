"""An OpsContext in memory, for tests of the operator tools."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from scripts.common.clock import Clock
from scripts.common.errors import ToolError
from scripts.environment.topology import Topology
from scripts.ops.dlq.messages import DeadLetter, parse_dead_letter
from scripts.ops.function_logs import LogEntry
from scripts.ops.replay.event_archive import ArchiveContents, ArchivedEvent, ReplayProgress
from services.shared.adapters.dynamodb_items import Unreadable
from services.shared.ledger import (
    Delta,
    Key,
    Line,
    Order,
    Price,
    Status,
    Stock,
    StockWrite,
    Transition,
)
from tests.support.fakes import START, ManualClock, MemoryStore, RecordingBus


class MemoryOpsStore(MemoryStore):
    """The two tables, with unreadable rows among them."""

    def __init__(self, stocks: Iterable[Stock] = ()) -> None:
        super().__init__(stocks)
        self.unreadable_orders: list[Unreadable] = []
        self.unreadable_stock: list[Unreadable] = []

    def scan_orders(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Order]:
        _report(self.unreadable_orders, unreadable)
        yield from list(self.orders.values())

    def scan_stock(self, unreadable: Callable[[Unreadable], object] | None = None) -> Iterator[Stock]:
        _report(self.unreadable_stock, unreadable)
        yield from list(self.stock.values())

    def adjust(self, key: Key, delta: int) -> Stock | None:
        refused = self.transact([StockWrite(key, Delta(stock=delta, available=delta))])
        return None if refused else self.stock[key]

    def set_stock(
        self, key: Key, *, stock: int | None = None, price: Price | None = None, name: str | None = None
    ) -> Stock | None:
        known = self.stock.get(key) or Stock(key, 0, 0, 0, price or Price(0, ""))
        on_hand = known.stock if stock is None else stock
        if on_hand < known.reserved:
            return None
        self.stock[key] = replace(
            known,
            stock=on_hand,
            available=on_hand - known.reserved,
            price=price or known.price,
            name=name or known.name,
        )
        return self.stock[key]

    def seed(self, stocks: Iterable[Stock]) -> int:
        new = {stock.key: stock for stock in stocks if stock.key not in self.stock}
        self.stock |= new
        return len(new)


def _report(rows: Iterable[Unreadable], unreadable: Callable[[Unreadable], object] | None) -> None:
    for row in rows:
        if unreadable is None:
            raise KeyError(row.why)
        unreadable(row)


@dataclass
class MemoryWorkQueue:
    bodies: list[str] = field(default_factory=list)
    refuse: set[str] = field(default_factory=set)
    delayed: bool = False
    """Whether the last messages had the delay of messages from the bus."""

    def send(self, bodies: Sequence[str], *, as_from_the_bus: bool = False) -> Collection[int]:
        self.delayed = as_from_the_bus
        self.bodies += [body for body in bodies if body not in self.refuse]
        return [position for position, body in enumerate(bodies) if body in self.refuse]


@dataclass
class MemoryDeadLetterQueue:
    """Hands out messages in batches of two; they stay hidden until they are put back."""

    function: str
    work_queue: MemoryWorkQueue
    visible: list[DeadLetter] = field(default_factory=list)
    hidden: list[DeadLetter] = field(default_factory=list)
    held_seconds: int = 0
    always_fails: bool = False
    """Whether the function fails at once on every message that is sent to it."""

    def add(self, message_id: str, body: str, *, sent_at: datetime = START, **attributes: str) -> None:
        self.visible.append(
            parse_dead_letter(
                self.function,
                {
                    "MessageId": message_id,
                    "ReceiptHandle": message_id,
                    "Body": body,
                    "Attributes": {
                        "SentTimestamp": str(int(sent_at.timestamp() * 1000)),
                        "ApproximateReceiveCount": "1",
                    },
                    "MessageAttributes": {
                        name: {"DataType": "String", "StringValue": value}
                        for name, value in attributes.items()
                    },
                },
            )
        )

    def take(self, held_seconds: int = 30) -> Iterator[list[DeadLetter]]:
        self.held_seconds = held_seconds
        while self.visible:
            batch, self.visible = self.visible[:2], self.visible[2:]
            self.hidden += batch
            yield batch

    def put_back(self, messages: Sequence[DeadLetter]) -> None:
        self.visible += [dead_letter for dead_letter in messages if dead_letter in self.hidden]
        self.hidden = [dead_letter for dead_letter in self.hidden if dead_letter not in messages]

    def resend(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        refused = self.work_queue.send([dead_letter.body for dead_letter in messages])
        if self.always_fails:
            for dead_letter in messages:
                self.add(f"{dead_letter.message_id}+", dead_letter.body, reason="invalid_event")
        return [messages[position] for position in refused]

    def delete(self, messages: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
        self.hidden = [dead_letter for dead_letter in self.hidden if dead_letter not in messages]
        return []


@dataclass
class MemoryOperationsLog:
    lines: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)

    def record(self, action: str, parameters: Mapping[str, Any], result: Mapping[str, Any]) -> None:
        self.lines.append((action, dict(parameters), dict(result)))

    def actions(self) -> list[str]:
        return [action for action, _, _ in self.lines]


@dataclass
class MemoryArchive:
    """An archive of events by name; replayed events stay in a queue until they are removed."""

    name: str = "test-pulsequeue"
    archived: list[tuple[datetime, str, str]] = field(default_factory=list)
    """Time, event name and body."""
    final_progress: ReplayProgress = field(default_factory=lambda: ReplayProgress("COMPLETED"))
    queues: dict[str, list[ArchivedEvent]] = field(default_factory=dict)
    notes_by_name: dict[str, Mapping[str, str]] = field(default_factory=dict)
    fail_after_batches: int | None = None
    """The reader is interrupted after so many batches."""

    def add(self, *events: str, at: datetime = START) -> None:
        for event in events:
            number = len(self.archived)
            self.archived.append((at, event, json.dumps({"detail-type": event, "id": number})))

    def contents(self) -> ArchiveContents:
        return ArchiveContents(len(self.archived), START)

    def start(
        self, name: str, since: datetime, until: datetime, events: Collection[str], notes: Mapping[str, str]
    ) -> None:
        self.notes_by_name[name] = notes
        self.queues[name] = [
            ArchivedEvent(event, body, body)
            for at, event, body in self.archived
            if since <= at <= until and event in events
        ]

    def progress(self, name: str) -> ReplayProgress:
        assert name in self.queues
        return self.final_progress

    def take(self, name: str) -> Iterator[Sequence[ArchivedEvent]]:
        events = list(self.queues[name])
        for start in range(0, len(events), 2):
            if self.fail_after_batches is not None and start // 2 >= self.fail_after_batches:
                raise KeyboardInterrupt
            yield events[start : start + 2]

    def remove(self, name: str, replayed: Sequence[ArchivedEvent]) -> None:
        self.queues[name] = [one for one in self.queues[name] if one not in replayed]

    def notes(self, name: str) -> Mapping[str, str]:
        if name not in self.notes_by_name:
            raise ToolError(f"unfinished replay {name!r} not found.")
        return self.notes_by_name[name]

    def unfinished(self) -> list[str]:
        return sorted(self.queues)

    def discard(self, name: str) -> None:
        del self.queues[name], self.notes_by_name[name]


@dataclass
class MemoryFunctionLogs:
    lines: list[LogEntry] = field(default_factory=list)

    def search(self, text: str, since: datetime) -> list[LogEntry]:
        return [line for line in self.lines if text in json.dumps(dict(line.fields)) and line.at >= since]


@dataclass
class MemoryGauges:
    published: list[tuple[Mapping[str, float], datetime]] = field(default_factory=list)

    def publish(self, levels: Mapping[str, float], at: datetime) -> None:
        self.published.append((levels, at))


_topology = cache(Topology.load)


class MemoryOpsContext:
    def __init__(self, stocks: Iterable[Stock] = ()) -> None:
        self.env = "test"
        self.topology = _topology()
        self.time = ManualClock()
        self.clock = Clock(now=self.time, sleep=self._sleep)
        self.store = MemoryOpsStore(stocks)
        self.bus = RecordingBus()
        self.archive = MemoryArchive()
        self.operations_log = MemoryOperationsLog()
        self.function_logs = MemoryFunctionLogs()
        self.gauges = MemoryGauges()
        self.work_queues = {name: MemoryWorkQueue() for name in self.topology.consumers}
        self.dlqs = {name: MemoryDeadLetterQueue(name, queue) for name, queue in self.work_queues.items()}
        self.while_asleep: list[Order] = []
        """New states of orders, applied one at a time by the next sleeps."""

    def work_queue(self, function: str) -> MemoryWorkQueue:
        return self.work_queues[function]

    def dlq(self, function: str) -> MemoryDeadLetterQueue:
        return self.dlqs[function]

    def add_orders(self, *orders: Order) -> None:
        self.store.orders |= {order.key: order for order in orders}

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time.advance(timedelta(seconds=seconds))
        if self.while_asleep:
            self.add_orders(self.while_asleep.pop(0))


def an_order(name: str = "o-1", *, sku: str = "prod-001", quantity: int = 2, price: int = 1_000) -> Order:
    """Build an order that was just reserved."""
    return Order(
        key=Key("default", name),
        status=Status.RESERVED,
        customer_id="c-1",
        lines=(Line(sku, quantity, price),),
        placed_at=START,
        history=(Transition(Status.RESERVED, START, f"placed-{name}"),),
        amount_minor=quantity * price,
        currency="USD",
        expires_at=START + timedelta(minutes=15),
    )
