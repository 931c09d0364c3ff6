"""Ports of the operator tools: one environment's store, bus, queues and logs. Tests pass fakes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from scripts.common.clock import Clock
from services.shared.events import Event
from services.shared.ledger import Key, Order, Price, Stock

if TYPE_CHECKING:
    from scripts.environment.topology import Topology
    from scripts.ops.dlq.messages import DeadLetterQueue
    from scripts.ops.dlq.work_queues import WorkQueue
    from scripts.ops.function_logs import FunctionLogs
    from scripts.ops.operations_log import OperationsLog
    from scripts.ops.reconcile.gauges import Gauges
    from scripts.ops.replay.event_archive import Archive
    from services.shared.adapters.dynamodb_items import Unreadable


class Store(Protocol):
    """The two tables, as far as the tools need them; implemented by `DynamoDBStore`."""

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]: ...

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]: ...

    def scan_orders(self, unreadable: "Callable[[Unreadable], object] | None" = None) -> Iterator[Order]: ...

    def scan_stock(self, unreadable: "Callable[[Unreadable], object] | None" = None) -> Iterator[Stock]: ...

    def adjust(self, key: Key, delta: int) -> Stock | None: ...

    def set_stock(
        self, key: Key, *, stock: int | None = None, price: Price | None = None, name: str | None = None
    ) -> Stock | None: ...

    def seed(self, stocks: Iterable[Stock]) -> int: ...


class Bus(Protocol):
    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        """Publish events; returns those that were not accepted."""


class OpsContext(Protocol):
    @property
    def env(self) -> str: ...

    @property
    def topology(self) -> "Topology": ...

    @property
    def clock(self) -> Clock: ...

    @property
    def store(self) -> Store: ...

    @property
    def bus(self) -> Bus: ...

    @property
    def archive(self) -> "Archive": ...

    @property
    def operations_log(self) -> "OperationsLog": ...

    @property
    def function_logs(self) -> "FunctionLogs": ...

    @property
    def gauges(self) -> "Gauges": ...

    def dlq(self, function: str) -> "DeadLetterQueue":
        """Return the dead-letter queue of a function."""

    def work_queue(self, function: str) -> "WorkQueue":
        """Return the queue that feeds a function."""
