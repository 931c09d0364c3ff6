"""In whatever order things happen, and whatever fails in between, stock and orders agree.

Hypothesis writes the history: it places, pays, cancels, refunds, restocks, lets time pass, delivers
messages late, twice and in any order, and breaks the bus, the gateway and the store at will.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.order.service import OrderService
from services.payment.service import PaymentService
from services.shared.errors import StoreUnavailableError, TransientError
from services.shared.events import (
    Event,
    Item,
    OrderCancellationRequested,
    OrderCancelled,
    OrderPlaced,
    PaymentRequested,
    RefundRequested,
)
from services.shared.group_commit import GroupCommit
from services.shared.ledger import Busy, Delta, Key, Status, Stock, StockWrite, Verdict, Write
from services.shared.messages import Delivery
from tests.support.fakes import (
    START,
    FakeGateway,
    ManualClock,
    MemoryStore,
    RecordingTelemetry,
    a_stock,
)

HOLD = timedelta(minutes=15)
SKUS = ("apple", "pear", "plum")
ORDERS = tuple(f"order-{n}" for n in range(4))


class FaultyStore(MemoryStore):
    """Fails the next transactions as set: before its effect, after it, or by losing to a rival."""

    def __init__(self, stocks: Sequence[Stock]) -> None:
        super().__init__(stocks)
        self.faults: list[str] = []

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        fault = self.faults.pop() if self.faults else None
        if fault == "busy":
            return [Busy() for _ in writes]
        if fault == "before":
            raise StoreUnavailableError("cut off before the effect")
        verdicts = super().transact(writes)
        if fault == "after" and not verdicts:
            raise StoreUnavailableError("cut off after the effect")
        return verdicts


class Exchange:
    """A bus whose queues keep every message until its handler is done with it, and may fail to take one."""

    def __init__(self) -> None:
        self.queues: dict[str, list[Delivery]] = {"order": [], "payment": [], "expiry": []}
        self.emitted: dict[str, Event] = {}
        self.refuse = 0
        self._messages = 0

    def publish(self, events: Sequence[Event]) -> Sequence[Event]:
        refused, self.refuse = events[: self.refuse], max(0, self.refuse - len(events))
        for event in events[len(refused) :]:
            known = self.emitted.setdefault(event.event_id, event)
            assert known == event, "an event emitted again must be the same event"
            self.send(event)
        return refused

    def send(self, event: Event) -> None:
        if isinstance(event, (OrderPlaced, OrderCancellationRequested)):
            self._queue("order", event)
        if isinstance(event, (PaymentRequested, OrderCancelled, RefundRequested)):
            self._queue("payment", event)
        if isinstance(event, PaymentRequested):
            self._queue("expiry", event)

    def _queue(self, name: str, event: Event) -> None:
        self._messages += 1
        self.queues[name].append(Delivery(f"m{self._messages}", event))


class AnyHistory(RuleBasedStateMachine):
    @initialize(stock=st.integers(3, 9))
    def open_shop(self, stock: int) -> None:
        self.clock = ManualClock()
        self.store = FaultyStore([a_stock(sku, stock, price=100 * n) for n, sku in enumerate(SKUS)])
        self.supplied = Counter(dict.fromkeys(SKUS, stock))
        self.exchange = Exchange()
        self.gateway = FakeGateway()
        self.gateway.declining = {ORDERS[0]}
        telemetry = RecordingTelemetry()
        ledger = GroupCommit(self.store, waits=lambda: iter([True] * 3), max_actions=7)
        orders = OrderService(ledger, self.exchange, telemetry, clock=self.clock, hold=HOLD)
        payments = PaymentService(ledger, self.exchange, self.gateway, telemetry, clock=self.clock)
        self.handlers = {"order": orders.handle, "payment": payments.handle, "expiry": orders.expire}
        self.requested: defaultdict[str, list[Counter[str]]] = defaultdict(list)
        self.called_off: set[str] = set()
        self._events = 0

    def _facts(self, order_id: str) -> dict[str, object]:
        self._events += 1
        return {"event_id": f"e{self._events}", "order_id": order_id, "occurred_at": START}

    @rule(
        order_id=st.sampled_from(ORDERS),
        lines=st.lists(
            st.tuples(st.sampled_from([*SKUS, *SKUS, *SKUS, "ghost"]), st.integers(1, 3)),
            min_size=1,
            max_size=3,
        ),
    )
    def place(self, order_id: str, lines: list[tuple[str, int]]) -> None:
        items = tuple(Item(sku=sku, quantity=quantity) for sku, quantity in lines)
        requested: Counter[str] = Counter()
        for sku, quantity in lines:
            requested[sku] += quantity
        self.requested[order_id].append(requested)
        self.exchange.send(
            OrderPlaced.model_validate({**self._facts(order_id), "customer_id": "c", "items": items})
        )

    @rule(order_id=st.sampled_from(ORDERS))
    def cancel(self, order_id: str) -> None:
        self.called_off.add(order_id)
        self.exchange.send(OrderCancellationRequested.model_validate(self._facts(order_id)))

    @rule(
        order_id=st.sampled_from(ORDERS), restock=st.booleans(), amount=st.sampled_from([None, 1, 100, 300])
    )
    def refund(self, order_id: str, restock: bool, amount: int | None) -> None:
        if amount is None:
            self.called_off.add(order_id)
        self.exchange.send(
            RefundRequested.model_validate(
                {**self._facts(order_id), "restock": restock, "amount_minor": amount}
            )
        )

    @rule(sku=st.sampled_from(SKUS), units=st.integers(1, 5))
    def restock(self, sku: str, units: int) -> None:
        faults, self.store.faults = self.store.faults, []
        assert not self.store.transact([StockWrite(Key("default", sku), Delta(stock=units, available=units))])
        self.store.faults = faults
        self.supplied[sku] += units

    @rule(by=st.sampled_from([timedelta(minutes=1), HOLD]))
    def wait(self, by: timedelta) -> None:
        self.clock.advance(by)

    @rule(faults=st.lists(st.sampled_from(["before", "after", "busy"]), max_size=4))
    def break_store(self, faults: list[str]) -> None:
        self.store.faults = faults

    @rule(refuse=st.integers(0, 3))
    def break_bus(self, refuse: int) -> None:
        self.exchange.refuse = refuse

    @rule(state=st.sampled_from(["up", "down", "silent"]))
    def break_gateway(self, state: str) -> None:
        self.gateway.down, self.gateway.silent_after_charging = state == "down", state == "silent"

    @rule()
    def let_the_hold_run_out(self) -> None:
        self.clock.advance(HOLD)
        self.deliver_all("expiry")

    @rule()
    def let_the_next_charge_take_too_long(self) -> None:
        self.gateway.while_charging = self.let_the_hold_run_out

    @precondition(lambda self: any(self.exchange.queues.values()))
    @rule(data=st.data(), lost=st.booleans())
    def deliver(self, data: st.DataObject, lost: bool) -> None:
        """Any messages of a queue in any order; `lost` ones are handled, but stay on their queue."""
        name = data.draw(st.sampled_from([name for name, queue in self.exchange.queues.items() if queue]))
        queue = self.exchange.queues[name]
        batch = data.draw(
            st.lists(st.sampled_from(queue), unique_by=lambda one: one.message_id, min_size=1, max_size=10)
        )
        self._handle(name, batch, lost=lost)

    @rule(name=st.sampled_from(["order", "payment", "expiry"]))
    def deliver_all(self, name: str) -> None:
        if self.exchange.queues[name]:
            self._handle(name, list(self.exchange.queues[name]))

    def _handle(self, name: str, batch: list[Delivery], *, lost: bool = False) -> None:
        try:
            retry = set(self.handlers[name](batch))
        except TransientError:
            return
        if not lost:
            done = {one.message_id for one in batch} - retry
            queue = self.exchange.queues[name]
            queue[:] = [one for one in queue if one.message_id not in done]

    @invariant()
    def stock_adds_up(self) -> None:
        if not hasattr(self, "store"):
            return
        claimed: Counter[Key] = Counter()
        sold: Counter[Key] = Counter()
        for order in self.store.orders.values():
            for line in order.lines:
                key = Key("default", line.sku)
                if order.status is Status.RESERVED:
                    claimed[key] += line.quantity
                restocked = order.payment is not None and order.payment.restocked
                if order.status in (Status.CONFIRMED, Status.REFUNDED) and not restocked:
                    sold[key] += line.quantity
        for key, stock in self.store.stock.items():
            assert stock.reserved == claimed[key]
            assert stock.available == stock.stock - stock.reserved
            assert min(stock.stock, stock.reserved, stock.available) >= 0
            assert stock.stock == self.supplied[key.id] - sold[key]

    @invariant()
    def nobody_is_served_unpaid(self) -> None:
        for order in self.store.orders.values() if hasattr(self, "store") else ():
            if order.status is Status.CONFIRMED and order.amount_minor:
                assert order.key.pk in self.gateway.charges

    @invariant()
    def orders_are_what_was_requested(self) -> None:
        for order in self.store.orders.values() if hasattr(self, "store") else ():
            lines = Counter({line.sku: line.quantity for line in order.lines})
            assert lines in self.requested[order.key.id]
            assert order.amount_minor == sum(line.quantity * line.unit_price_minor for line in order.lines)

    def teardown(self) -> None:
        """Let everything work again: all that was begun comes to its end."""
        if not hasattr(self, "store"):
            return
        self.store.faults, self.exchange.refuse = [], 0
        self.gateway.down = self.gateway.silent_after_charging = False
        self.gateway.while_charging = None
        for _ in range(12):
            self.clock.advance(HOLD)
            for name in ("order", "payment", "expiry"):
                while batch := self.exchange.queues[name][:10]:
                    left = len(self.exchange.queues[name])
                    self._handle(name, batch)
                    if len(self.exchange.queues[name]) == left:
                        # What is left waits for an order that nobody placed.
                        queue = self.exchange.queues[name]
                        queue[:] = queue[10:] + queue[:10]
                        break
        self._nothing_is_left_undone()

    def _nothing_is_left_undone(self) -> None:
        orders = self.store.orders
        assert {key.id for key in orders} == set(self.requested), "every order placed is decided"
        assert all(order.status is not Status.RESERVED for order in orders.values())
        for pk, charge in self.gateway.charges.items():
            order = orders[Key.of(pk)]
            refunded = self.gateway.refunded[charge.charge_id]
            assert refunded <= order.amount_minor, "no more is given back than was paid"
            assert (refunded == order.amount_minor) != (order.status is Status.CONFIRMED), (
                "a charge confirms its order or is given back"
            )
            assert order.payment is not None
            assert order.payment.refunded_minor == refunded, "what was given back is noted"
        for key, order in orders.items():
            assert key.id not in self.called_off or order.status is not Status.CONFIRMED, (
                "cancelled, yet kept"
            )
        events = {(event.detail_type(), event.correlation_id) for event in self.exchange.emitted.values()}
        ends = {
            Status.CONFIRMED: {"PaymentRequested", "PaymentProcessed", "OrderConfirmed"},
            Status.REFUNDED: {"PaymentRequested", "PaymentProcessed", "OrderConfirmed", "RefundProcessed"},
            Status.REJECTED: {"OrderRejected"},
            Status.CANCELLED: {"OrderCancelled"},
        }
        for order in orders.values():
            missing = {name for name in ends[order.status] if (name, order.key.id) not in events}
            assert not missing, f"{order.key.id} ended {order.status} without telling {missing}"


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=300, stateful_step_count=40)
