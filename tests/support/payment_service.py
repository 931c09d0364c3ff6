"""The payment service over a ledger in memory and a gateway that keeps books."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from services.payment.gateway import Answer, ChargeRequest
from services.payment.service import PaymentService
from services.shared.events import Event
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Busy, Order, OrderWrite, Passed, Status, Verdict, Write
from services.shared.log_events import LogEvent
from tests.support.builders import a_key, deliveries, no_waiting, placement
from tests.support.fakes import (
    FakeGateway,
    ManualClock,
    MemoryStore,
    RecordingBus,
    RecordingTelemetry,
    a_stock,
)


class ContendedStore(MemoryStore):
    """A MemoryStore that can be set to be busy with everything."""

    busy = False

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        if self.busy:
            return [Busy() if isinstance(write, OrderWrite) else Passed() for write in writes]
        return super().transact(writes)


class PaymentFixture:
    """The payment service and everything around it, with one order reserved."""

    def __init__(
        self,
        *,
        price: int = 1_000,
        gateway: FakeGateway | None = None,
        run: Callable[..., Iterable[Any]] = map,
        out_of_time: Callable[[], bool] = lambda: False,
    ) -> None:
        self.store = ContendedStore([a_stock(price=price)])
        self.bus = RecordingBus()
        self.gateway = gateway or FakeGateway()
        self.telemetry = RecordingTelemetry()
        self.clock = ManualClock()
        self.ledger = GroupCommit(self.store, waits=no_waiting(2))
        self.service = PaymentService(
            self.ledger,
            self.bus,
            self.gateway,
            self.telemetry,
            clock=self.clock,
            run=run,
            out_of_time=out_of_time,
        )
        self.reserve("order-1")

    def reserve(self, name: str, quantity: int = 2) -> None:
        self.ledger.reserve([placement(name, {"prod-001": quantity})])

    def expire(self, name: str = "order-1") -> None:
        """Let the order service have released an order."""
        order = self.order(name)
        self.store.orders[order.key] = order.moved(
            Status.CANCELLED, self.clock(), "expiry", reason="reservation_expired"
        )

    def handle(self, *events: Event) -> Collection[str]:
        return self.service.handle(deliveries(*events))

    def order(self, name: str = "order-1") -> Order:
        return self.store.orders[a_key(name)]

    def stock(self) -> tuple[int, int, int]:
        stock = self.store.stock[a_key("prod-001")]
        return stock.stock, stock.reserved, stock.available

    def logged(self) -> list[LogEvent]:
        return [event for event, _, _ in self.telemetry.lines]


class RecordingGateway(FakeGateway):
    """A gateway that remembers what it was asked to charge."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[ChargeRequest] = []

    def charge(self, request: ChargeRequest) -> Answer:
        self.requests.append(request)
        return super().charge(request)


class LateGateway(FakeGateway):
    """A gateway whose first answer comes after the order was released."""

    fixture: PaymentFixture | None = None

    def charge(self, request: ChargeRequest) -> Answer:
        answer = super().charge(request)
        if self.fixture is not None:
            self.fixture.expire(request.order_id)
        return answer


def late_payment_fixture() -> tuple[PaymentFixture, LateGateway]:
    gateway = LateGateway()
    fixture = PaymentFixture(gateway=gateway)
    gateway.fixture = fixture
    return fixture, gateway
