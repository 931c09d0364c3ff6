"""In-memory stand-ins for the ports. Each passes the contract suite of what it stands in for."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from services.payment.gateway import (
    Answer,
    Charged,
    ChargeRequest,
    Declined,
    NotFound,
    Pending,
    RefundRequest,
    Unknown,
)
from services.shared.errors import GatewayUnavailableError
from services.shared.events import Event
from services.shared.ledger import (
    Delta,
    Key,
    Order,
    OrderWrite,
    Passed,
    Price,
    Refused,
    Stock,
    StockWrite,
    Verdict,
    Write,
)
from services.shared.log_events import LogEvent
from services.shared.messages import Poison

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


class ManualClock:
    """Time that passes on request."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class MemoryStore:
    """A Store in two dictionaries."""

    def __init__(self, stocks: Iterable[Stock] = ()) -> None:
        self.stock = {stock.key: stock for stock in stocks}
        self.orders: dict[Key, Order] = {}
        self.transactions: list[Sequence[Write]] = []
        self._lock = Lock()

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        with self._lock:
            self.transactions.append(writes)
            verdicts = [self._judge(write) for write in writes]
            if any(not isinstance(verdict, Passed) for verdict in verdicts):
                return verdicts
            for write in writes:
                self._apply(write)
            return ()

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        return {key: self.orders[key] for key in keys if key in self.orders}

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        return {key: self.stock[key] for key in keys if key in self.stock}

    def _judge(self, write: Write) -> Verdict:
        if isinstance(write, OrderWrite):
            current = self.orders.get(write.key)
            return Passed() if _as_read(write.before, current) else Refused(current)
        stock = self.stock.get(write.key)
        if stock is None or (write.price is not None and write.price != stock.price):
            return Refused(stock)
        changed = _changed(stock, write.delta)
        shrunk = [
            (write.delta.stock, changed.stock),
            (write.delta.reserved, changed.reserved),
            (write.delta.available, changed.available),
        ]
        return Refused(stock) if any(delta < 0 and after < 0 for delta, after in shrunk) else Passed()

    def _apply(self, write: Write) -> None:
        if isinstance(write, OrderWrite):
            self.orders[write.key] = write.after
        elif isinstance(write, StockWrite):
            self.stock[write.key] = _changed(self.stock[write.key], write.delta)


def _as_read(before: Order | None, current: Order | None) -> bool:
    if before is None or current is None:
        return before is current
    return (before.status, before.version) == (current.status, current.version)


def _changed(stock: Stock, delta: Delta) -> Stock:
    return replace(
        stock,
        stock=stock.stock + delta.stock,
        reserved=stock.reserved + delta.reserved,
        available=stock.available + delta.available,
    )


class ScriptedStore(MemoryStore):
    """A MemoryStore whose first answers are given: verdicts to return, or an error to raise."""

    def __init__(self, stocks: Iterable[Stock], answers: Iterable[Sequence[Verdict] | Exception]) -> None:
        super().__init__(stocks)
        self._answers = list(answers)

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        if self._answers:
            answer = self._answers.pop(0)
            self.transactions.append(writes)
            if isinstance(answer, Exception):
                raise answer
            return answer
        return super().transact(writes)


@dataclass
class RecordingBus:
    """Keeps what was published; refuses the next `refuse` events."""

    published: list[Event] = field(default_factory=list)
    refuse: int = 0

    def publish(self, events: Sequence[Event]) -> Collection[Event]:
        refused, self.refuse = events[: self.refuse], max(0, self.refuse - len(events))
        self.published += events[len(refused) :]
        return refused

    def names(self) -> list[str]:
        return [event.detail_type() for event in self.published]


@dataclass
class RecordingPoisonQueue:
    sent: list[Poison] = field(default_factory=list)
    broken: bool = False

    def send(self, poison: Sequence[Poison]) -> Collection[str]:
        if self.broken:
            return [one.message_id for one in poison]
        self.sent += poison
        return []


@dataclass
class RecordingTelemetry:
    lines: list[tuple[LogEvent, Key | None, Mapping[str, object]]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    counts: defaultdict[tuple[str, frozenset[tuple[str, str]]], float] = field(
        default_factory=lambda: defaultdict(int)
    )
    observations: list[tuple[str, float]] = field(default_factory=list)
    gauges: dict[str, float] = field(default_factory=dict)
    flushes: int = 0

    def info(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        self.lines.append((event, key, fields))

    def warning(self, event: LogEvent, key: Key | None = None, **fields: object) -> None:
        self.lines.append((event, key, fields))

    def error(self, event: LogEvent, error: BaseException) -> None:
        self.lines.append((event, None, {}))
        self.errors.append(error)

    def count(self, metric: str, value: float = 1, **labels: str) -> None:
        self.counts[metric, frozenset(labels.items())] += value

    def observe(self, metric: str, seconds: float) -> None:
        self.observations.append((metric, seconds))

    def gauge(self, metric: str, level: float) -> None:
        self.gauges[metric] = level

    def flush(self) -> None:
        self.flushes += 1

    def counted(self, metric: str, **labels: str) -> float:
        return self.counts.get((metric, frozenset(labels.items())), 0)


class FakeGateway:
    """A gateway whose records outlive any crash of its callers, and which can be set to fail."""

    def __init__(self) -> None:
        self.settles_within = timedelta(0)
        self.charges: dict[str, Charged] = {}
        self.refunds: dict[str, RefundRequest] = {}
        self.calls: list[str] = []
        self.declining: set[str] = set()
        self.pending: set[str] = set()
        self.names_intents = False
        self.down = False
        self.silent_after_charging = False
        self.hides_charges = False
        self.while_charging: Callable[[], None] | None = None
        self.on_prepare: Callable[[], None] | None = None

    def prepare(self, request: ChargeRequest) -> str | None:
        self._reach()
        if self.on_prepare:
            self.on_prepare()
        return f"intent-{request.order_id}" if self.names_intents else None

    def charge(self, request: ChargeRequest) -> Answer:
        self.calls.append(request.key)
        self._reach()
        if request.order_id in self.declining:
            return Declined("card_declined")
        if request.order_id in self.pending:
            return Pending()
        if meanwhile := self.while_charging:
            self.while_charging = None
            meanwhile()
        charged = self.charges.setdefault(request.key, Charged(f"ch-{request.order_id}"))
        if self.silent_after_charging:
            return Unknown("the answer was lost")
        return charged

    def void(self, request: ChargeRequest) -> Answer | NotFound:
        self._reach()
        if request.order_id in self.pending:
            return Declined("voided")
        return NotFound() if self.hides_charges else self.charges.get(request.key, NotFound())

    def refund(self, request: RefundRequest) -> str:
        self._reach()
        made = self.refunds.setdefault(request.key, request)
        return f"re-{made.charge_id}-{made.amount_minor}{made.currency}"

    @property
    def refunded(self) -> Counter[str]:
        """What was given back of each charge."""
        amounts: Counter[str] = Counter()
        for refund in self.refunds.values():
            amounts[refund.charge_id] += refund.amount_minor
        return amounts

    def _reach(self) -> None:
        if self.down:
            raise GatewayUnavailableError("down")


def a_stock(sku: str = "prod-001", stock: int = 10, *, price: int = 1_000, currency: str = "USD") -> Stock:
    return Stock(Key("default", sku), stock, 0, stock, Price(price, currency))
