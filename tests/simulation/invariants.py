"""Looks on while things happen: every commit, every event and every answer is checked in its instant."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from services.payment.gateway import ChargeRequest
from services.shared.adapters.dynamodb_items import order_of, stock_of
from services.shared.ledger import Key, Order, Payment, Status, Stock
from tests.simulation.dynamodb import INVENTORY, Change
from tests.simulation.gateway import GatewayLedger, GivenBack
from tests.simulation.queues import Message
from tests.simulation.runs import RunChecks
from tests.simulation.scheduler import Scheduler
from tests.simulation.story import label
from tests.support.fakes import START

_ROUNDING = timedelta(milliseconds=1)
_LEGAL = {
    (None, Status.RESERVED),
    (None, Status.REJECTED),
    (Status.RESERVED, Status.RESERVED),  # the intent to charge, or a pending answer, is noted
    (Status.RESERVED, Status.CONFIRMED),
    (Status.RESERVED, Status.CANCELLED),
    (Status.CONFIRMED, Status.CONFIRMED),  # what is to be given back, or was in part, is noted
    (Status.CONFIRMED, Status.REFUNDED),
    (Status.CANCELLED, Status.CANCELLED),  # a charge that came too late is noted
}


@dataclass(frozen=True, slots=True)
class Violation:
    invariant: str
    detail: str
    orders: tuple[str, ...] = ()

    def __str__(self) -> str:
        orders = f" ({', '.join(self.orders)})" if self.orders else ""
        return f"{self.invariant}{orders}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as somebody published it."""

    customer_id: str
    quantities: tuple[tuple[str, int], ...]
    payment_method: str | None


class Watch:
    def __init__(
        self, scheduler: Scheduler, gateway_ledger: GatewayLedger, hold_for: Callable[[str | None], timedelta]
    ) -> None:
        self._hold_for = hold_for
        self.violations: list[Violation] = []
        self.wishes: defaultdict[Key, list[Wish]] = defaultdict(list)
        self.accepted_at: dict[Key, float] = {}
        """When each order was first placed."""
        self.called_off: set[Key] = set()
        self.refunds_requested: set[Key] = set()
        """Orders of which all that is left of the payment was asked for."""
        self.parts_requested: defaultdict[Key, dict[str, int]] = defaultdict(dict)
        """The amounts that were asked for, by the ids of the requests."""
        self.forged: set[Key] = set()
        """Orders whose payment a stranger asked for, perhaps before the order service could."""
        self.poison: set[tuple[str, str]] = set()
        self.orders: dict[Key, Order] = {}
        self.stock: dict[Key, Stock] = {}
        self.runs = RunChecks(scheduler, self)
        self.announced_at: dict[Key, float] = {}
        """When the payment of each order was first asked for."""
        self.is_set_aside: Callable[[Key], bool] = lambda _: False
        """Whether the expiry message of an order is among the dead letters."""
        self.published: defaultdict[Key, set[str]] = defaultdict(set)
        """The names of the events published about each order."""
        self.events: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.answered_at: dict[Key, float] = {}
        """When the gateway's own answer about an order was first accepted."""
        self._scheduler = scheduler
        self._gateway_ledger = gateway_ledger
        self.left: dict[Key, float] = {}
        """When each order was rejected, or its reservation ended."""
        self._levels: defaultdict[Key, list[tuple[float, Stock]]] = defaultdict(list)
        self._supplied: Counter[Key] = Counter()
        self._claimed: Counter[Key] = Counter()
        self._sold: Counter[Key] = Counter()

    def report(self, invariant: str, detail: str, *orders: Key) -> None:
        """Note what must not be, and let the simulation end here."""
        self.violations.append(Violation(invariant, detail, tuple(label(*key) for key in orders)))
        self._scheduler.stop()

    # --- commits --------------------------------------------------------------------------------------

    def on_commit(self, changes: Sequence[Change]) -> None:
        moved = [order_of(change.after) for change in changes if change.table != INVENTORY]
        taken: Counter[Key] = Counter()
        for order in moved:
            if order.status is Status.RESERVED and len(order.history) == 1:
                taken.update(_quantities(order))
        for order in moved:
            before = self.orders.get(order.key)
            self._check_move(before, order)
            if order.status is Status.REJECTED:
                self._check_rejection(order, taken)
        self._note_stock(changes)
        for order in moved:
            self._account(self.orders.get(order.key), -1)
            self._account(order, 1)
            self.orders[order.key] = order
            if order.status is not Status.RESERVED:
                self.left.setdefault(order.key, self._scheduler.now)
            self._check_release(order)
            if order.status is Status.RESERVED and len(order.history) == 1:
                self._check_price(order)
                self._check_hold(order)
        self.runs.on_commit(moved)
        touched = {key for order in moved for key in _quantities(order)}
        touched.update(stock_of(change.after).key for change in changes if change.table == INVENTORY)
        for key in sorted(touched):
            self._check_sku(key, moved)

    def _check_release(self, order: Order) -> None:
        """The audit is for reservations without a message, and no long one ends in bad weather."""
        actor = self._scheduler.actor
        if actor is None or not actor.name.startswith("audit") or order.reason != "reservation_expired":
            return
        owed = self.announced_at.get(order.key)
        if owed is not None and owed < self._scheduler.now - 86_400 and not self.is_set_aside(order.key):
            self.report("a long reservation ends by its own message", f"not by {actor.name}", order.key)

    def _note_stock(self, changes: Sequence[Change]) -> None:
        actor = self._scheduler.actor
        by_hand = actor is None or actor.name.startswith("operator")
        for change in changes:
            if change.table == INVENTORY:
                after = stock_of(change.after)
                if by_hand:
                    self._supplied[after.key] += after.stock - (
                        stock_of(change.before).stock if change.before else 0
                    )
                self.stock[after.key] = after
                self._levels[after.key].append((self._scheduler.now, after))

    def _account(self, order: Order | None, sign: int) -> None:
        if order is None:
            return
        restocked = order.payment is not None and order.payment.restocked
        paid = order.status in (Status.CONFIRMED, Status.REFUNDED)
        for key, quantity in _quantities(order).items():
            if order.status is Status.RESERVED:
                self._claimed[key] += sign * quantity
            if paid and not restocked:
                self._sold[key] += sign * quantity

    def _check_sku(self, key: Key, moved: Sequence[Order]) -> None:
        stock = self.stock.get(key)
        if stock is None:
            return
        orders = tuple(order.key for order in moved)
        if stock.available != stock.stock - stock.reserved:
            self.report("available = stock - reserved", str(stock), *orders)
        if min(stock.stock, stock.reserved, stock.available) < 0:
            self.report("nothing is oversold: no number is negative", str(stock), *orders)
        if stock.reserved != self._claimed[key]:
            self.report(
                "reserved = the sum of open reservations", f"{stock}, open {self._claimed[key]}", *orders
            )
        left = self._supplied[key] - self._sold[key]
        if stock.stock != left:
            self.report("stock = put there - sold + returned", f"{stock}, should be {left}", *orders)

    def _check_move(self, before: Order | None, after: Order) -> None:
        step = (before.status if before else None, after.status)
        if step not in _LEGAL:
            self.report("orders move as they may", f"{step[0]} to {step[1]}", after.key)
        if after.history[:-1] != (before.history if before else ()):
            self.report(
                "history is only added to", f"{before and before.history} to {after.history}", after.key
            )
        if before is not None and (before.lines, before.amount_minor) != (after.lines, after.amount_minor):
            self.report("an order stays what it was", f"{before.lines} to {after.lines}", after.key)
        quantities = tuple(sorted((line.sku, line.quantity) for line in after.lines))
        wish = Wish(after.customer_id, quantities, after.payment_method)
        if wish not in self.wishes[after.key]:
            self.report(
                "an order is what was asked for", f"{wish}, asked {self.wishes[after.key]}", after.key
            )
        if why := self._unfounded(after):
            self.report("an order ends for a true reason", why, after.key)

    def _unfounded(self, order: Order) -> str | None:
        """Say what an order claims of the world that is not so."""
        paid = order.payment.charge_id if order.payment else None
        match order.status, order.reason:
            case Status.CONFIRMED, _ if order.amount_minor:
                charge = next((one for one in self._gateway_ledger.charges.values() if one.id == paid), None)
                if charge is None or (charge.amount_minor, charge.currency) != (
                    order.amount_minor,
                    order.currency,
                ):
                    return f"confirmed {order.amount_minor} {order.currency}, but charged {charge}"
            case Status.CANCELLED, "payment_failed" if order.key.pk not in self._gateway_ledger.declined:
                return "payment failed, but the gateway declined nothing"
            case Status.CANCELLED, "customer_request" if order.key not in self.called_off:
                return "called off, but nobody asked"
            case Status.CANCELLED, "reservation_expired" if order.expires_at and (
                order.expires_at > self._scheduler.clock()
            ):
                return f"expired before {order.expires_at}"
            case Status.REFUNDED, _ if order.key not in (
                self.refunds_requested | self.called_off | self.parts_requested.keys()
            ):
                return "refunded, but nobody asked"
        return None

    def _check_price(self, order: Order) -> None:
        for line in order.lines:
            stock = self.stock.get(Key(order.key.tenant_id, line.sku))
            actual = (stock.price.minor, stock.price.currency) if stock else None
            if actual != (line.unit_price_minor, order.currency):
                self.report(
                    "an order costs what its SKUs cost",
                    f"{line} in {order.currency}, price {actual}",
                    order.key,
                )
        if order.amount_minor != sum(line.quantity * line.unit_price_minor for line in order.lines):
            self.report(
                "an order costs what its SKUs cost", f"{order.amount_minor} for {order.lines}", order.key
            )

    def _check_hold(self, order: Order) -> None:
        """A hold begins when the order is reserved, however long its event was on the way."""
        now, hold = self._scheduler.clock(), self._hold_for(order.payment_method)
        started = now - timedelta(seconds=self._scheduler.now - self._since())
        if order.expires_at is None or not (
            started - _ROUNDING <= order.expires_at - hold <= now + _ROUNDING
        ):
            self.report(
                "a reservation lasts as long as the hold", f"until {order.expires_at}, now {now}", order.key
            )

    # --- rejections -----------------------------------------------------------------------------------

    def _check_rejection(self, order: Order, taken: Counter[Key]) -> None:
        """Hold a rejection against every moment of its handling: in one of them it must have been true."""
        quantities = _quantities(order)
        blamed = [Key(order.key.tenant_id, sku) for sku in order.blamed]
        match order.reason:
            case "out_of_stock":
                true = all(
                    any(stock.available - taken[key] < quantities[key] for stock in self._lately(key))
                    for key in blamed
                )
            case "unknown_sku":
                true = all(self._was_missing(key) for key in blamed)
            case _:
                true = len({stock.price.currency for key in blamed for stock in self._lately(key)}) > 1
        if not true or not blamed:
            lately = {key.id: [stock.available for stock in self._lately(key)] for key in blamed}
            self.report(
                "a rejection was true when it was decided",
                f"{order.reason} for {dict(quantities)}, available was {lately}",
                order.key,
            )

    def _since(self) -> float:
        actor = self._scheduler.actor
        return actor.started if actor else 0.0

    def _lately(self, key: Key) -> Iterator[Stock]:
        """Go back over the levels of a SKU to the one it had when the acting handler started."""
        for at, stock in reversed(self._levels[key]):
            yield stock
            if at <= self._since():
                return

    def _was_missing(self, key: Key) -> bool:
        levels = self._levels[key]
        return not levels or levels[0][0] > self._since()

    # --- charges, events and answers ------------------------------------------------------------------

    def on_event(self, source: str, name: str, detail: Mapping[str, Any]) -> None:
        if source not in ("pulsequeue.order", "pulsequeue.payment"):
            return
        key = Key(detail.get("tenantId", "default"), detail["orderId"])
        self.published[key].add(name)
        if name == "PaymentRequested":
            self.announced_at.setdefault(key, self._scheduler.now)
        known = self.events.setdefault(detail["eventId"], (name, detail))
        if known != (name, detail):
            self.report("the same event id tells the same", f"{known} and {(name, detail)}", key)
        order = self.orders.get(key)
        if order is None or not _bears_out(order, name, detail):
            self.report("what is told is true", f"{name} of {order and order.status}", key)

    def on_rest(self) -> None:
        """Before an operator sends any dead letter round again, no reservation may be left."""
        for key, order in self.orders.items():
            if order.status is Status.RESERVED:
                self.report("every reservation expires by itself", f"open until {order.expires_at}", key)

    def on_audit(self, due: datetime) -> None:
        """After an audit in which nothing failed, nothing is left of what was overdue when it began."""
        for key, order in self.orders.items():
            if order.status is Status.RESERVED and order.expires_at and order.expires_at < due:
                self.report("an audit leaves nothing overdue", f"open until {order.expires_at}", key)

    def on_charge(self, request: ChargeRequest, names_intents: bool) -> None:
        key = Key.of(request.key)
        order = self.orders.get(key)
        if order is None:
            self.report("an order is charged under its own key", request.key)
            return
        if self.left.get(key, self._scheduler.now) < self._since():
            self.report("only what is reserved is charged", str(order), key)
        if order.expires_at and order.expires_at < START + timedelta(seconds=self._since()):
            self.report("an overdue reservation is not charged", str(order), key)
        written = order.payment.intent_id if order.payment else None
        if names_intents and (request.intent_id is None or request.intent_id != written):
            self.report("what is charged is in its order before", f"{request.intent_id}, {written}", key)

    def on_refund(self, order_id: str, made: GivenBack) -> None:
        """Before a part of what confirmed an order is given back, the order says so."""
        for order in self.orders.values():
            payment = order.payment
            if order.key.id != order_id or payment is None or payment.charge_id != made.charge_id:
                continue
            if self._gateway_ledger.given_back(made.charge_id) > payment.claimed_minor:
                self.report("what is given back is in its order before", str(made), order.key)

    def on_answer(self, batch: Sequence[Message], failed: Collection[str]) -> None:
        actor = self._scheduler.actor
        for message in batch:
            queue = message.id.partition(":")[0]
            retried = message.id in failed and (queue, message.body) in self.poison
            if retried and actor is not None and not actor.faults:
                self.report("poison is buried, never retried", f"{message.id}: {message.body}")
        self.runs.on_answer(batch, failed)

    def on_webhook(self, key: Key, status: int, *, signed: bool) -> None:
        accepted = status == HTTPStatus.OK
        if accepted and not signed:
            self.report("nobody answers in the gateway's name", f"a stranger got {status}", key)
        if accepted and "PaymentAnswered" not in self.published[key]:
            self.report("an answer that is accepted is passed on", f"{status}, but no event", key)
        if accepted:
            self.answered_at.setdefault(key, self._scheduler.now)

    def name(self, key: Key) -> str:
        return label(*key)


def _quantities(order: Order) -> Counter[Key]:
    quantities: Counter[Key] = Counter()
    for line in order.lines:
        quantities[Key(order.key.tenant_id, line.sku)] += line.quantity
    return quantities


_REACHED = {
    "PaymentRequested": Status.RESERVED,
    "OrderRejected": Status.REJECTED,
    "OrderCancelled": Status.CANCELLED,
    "OrderConfirmed": Status.CONFIRMED,
    "RefundRequested": Status.CONFIRMED,
}


def _bears_out(order: Order, name: str, detail: Mapping[str, object]) -> bool:
    """Tell whether the order, as it is in the table, says what an event says of it."""
    if name in _REACHED:
        return _REACHED[name] in {step.status for step in order.history}
    payment = order.payment or Payment()
    match name:
        case "OrderConflicted":
            return bool(detail["differences"])
        case "PaymentAnswered":
            return True  # the gateway's word, which nobody believes before it was asked
        case "PaymentProcessed":
            return payment.charge_id == detail["chargeId"]
        case "PaymentFailed":
            return payment.declined == detail["reason"]
        case _:
            refund_id, amount = detail["refundId"], detail["amountMinor"]
            return any((it.id, it.amount_minor) == (refund_id, amount) for it in payment.refunds)
