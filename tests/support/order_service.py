"""The order service over a ledger in memory, and everything around it."""

from collections.abc import Collection

from services.order.service import OrderService
from services.shared.events import (
    Event,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Order, Payment, Status, Stock
from services.shared.log_events import LogEvent
from services.shared.messages import DelayedQueue
from tests.support.builders import HOLD, a_key, deliveries, no_waiting
from tests.support.fakes import (
    ManualClock,
    MemoryStore,
    RecordingBus,
    RecordingTelemetry,
    a_stock,
)


class OrderFixture:
    """The order service and everything around it."""

    def __init__(
        self, *stocks: Stock, store: MemoryStore | None = None, later: DelayedQueue | None = None
    ) -> None:
        self.store = store or MemoryStore(stocks or [a_stock()])
        self.bus = RecordingBus()
        self.telemetry = RecordingTelemetry()
        self.clock = ManualClock()
        ledger = GroupCommit(self.store, waits=no_waiting(2))
        self.service = OrderService(
            ledger, self.bus, self.telemetry, clock=self.clock, hold=HOLD, later=later
        )

    def handle(self, *events: Event) -> Collection[str]:
        return self.service.handle(deliveries(*events))

    def expire(self, *events: Event) -> Collection[str]:
        return self.service.expire(deliveries(*events))

    def order(self, name: str = "order-1") -> Order:
        return self.store.orders[a_key(name)]

    def stock(self, sku: str = "prod-001") -> tuple[int, int, int]:
        stock = self.store.stock[a_key(sku)]
        return stock.stock, stock.reserved, stock.available

    def pay(self, name: str = "order-1") -> None:
        """Let the payment service have confirmed an order."""
        order = self.order(name)
        paid = order.moved(Status.CONFIRMED, self.clock(), f"pay-{name}", payment=Payment(f"ch-{name}"))
        self.store.orders[order.key] = paid

    def logged(self) -> list[LogEvent]:
        return [event for event, _, _ in self.telemetry.lines]
