"""Counts everything again: what the tables say against what they should say. Pure.

Streams: of all orders only the sums per SKU are kept, and the orders that something is wrong with.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from services.shared.ledger import Key, Order, Status, Stock


class Kind(StrEnum):
    RESERVED = "reserved"
    """`reserved` is not what the open orders add up to."""
    AVAILABLE = "available"
    """`available` is not `stock - reserved`."""
    NEGATIVE = "negative"
    MISSING = "missing_sku"
    """Open orders hold a SKU that is not in the inventory."""
    OVERDUE = "overdue"
    """A reservation is past its time."""
    SHAPE = "shape"
    """An order says what no order can say."""
    CHARGED = "charged"
    """An order has a charge, and neither confirmed nor gave it back."""
    UNREADABLE = "unreadable"
    """A row of a table is not what it should be; nothing else can be said of it."""


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    key: Key
    says: str
    drift: int = 0
    """Units that `reserved` and the open orders differ by."""


@dataclass(frozen=True, slots=True)
class Findings:
    orders: int
    open: int
    skus: int
    by_sku: tuple[Finding, ...]
    by_order: tuple[Finding, ...]
    unreadable: tuple[Finding, ...] = ()

    @property
    def all(self) -> tuple[Finding, ...]:
        return (*self.unreadable, *self.by_sku, *self.by_order)

    def of(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.all)

    @property
    def drift(self) -> int:
        """Units that `reserved` and the open orders differ by, added up over the SKUs."""
        return sum(finding.drift for finding in self.by_sku)


@dataclass(slots=True)
class _Count:
    orders: int = 0
    open: int = 0
    reserved: dict[Key, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def recount(
    orders: Iterable[Order], stock: Iterable[Stock], now: datetime, grace: timedelta = timedelta()
) -> Findings:
    """Add up the open orders and hold everything against the books."""
    count = _Count()
    for order in orders:
        count.orders += 1
        if order.status is Status.RESERVED:
            count.open += 1
            for line in order.lines:
                key = Key(order.key.tenant_id, line.sku)
                count.reserved[key] = count.reserved.get(key, 0) + line.quantity
        count.findings += judge_order(order, now, grace)
    skus = 0
    by_sku: list[Finding] = []
    unmet = dict(count.reserved)
    for one in stock:
        skus += 1
        by_sku += _judge_stock(one, unmet.pop(one.key, 0))
    by_sku += [
        Finding(Kind.MISSING, key, f"{quantity} reserved by open orders, and no such SKU", quantity)
        for key, quantity in unmet.items()
    ]
    return Findings(count.orders, count.open, skus, tuple(by_sku), tuple(count.findings))


def _judge_stock(stock: Stock, held: int) -> Iterator[Finding]:
    if stock.reserved != held:
        says = f"{stock.reserved} reserved, open orders hold {held}"
        yield Finding(Kind.RESERVED, stock.key, says, abs(stock.reserved - held))
    if stock.available != (left := stock.stock - stock.reserved):
        says = f"{stock.available} available, {stock.stock} - {stock.reserved} is {left}"
        yield Finding(Kind.AVAILABLE, stock.key, says)
    for name, number in (
        ("stock", stock.stock),
        ("reserved", stock.reserved),
        ("available", stock.available),
    ):
        if number < 0:
            yield Finding(Kind.NEGATIVE, stock.key, f"{name} is {number}")


def judge_order(order: Order, now: datetime, grace: timedelta) -> Iterator[Finding]:
    if overdue(order, now, grace) and order.expires_at is not None:
        yield Finding(Kind.OVERDUE, order.key, f"was to be released at {order.expires_at:%Y-%m-%d %H:%M:%S}")
    payment = order.payment
    unsettled = order.status in (Status.RESERVED, Status.CANCELLED, Status.REJECTED)
    if unsettled and payment is not None and payment.charge_id and not payment.refund_id:
        yield Finding(Kind.CHARGED, order.key, f"{order.status}, yet charged ({payment.charge_id})")
    for says in impossible(order):
        yield Finding(Kind.SHAPE, order.key, says)


def impossible(order: Order) -> Iterator[str]:
    """Say what no order can say of itself; nothing, if the order is sound."""
    yield from _history(order)
    yield from _lines(order)
    yield from _facts(order)


def overdue(order: Order, now: datetime, grace: timedelta) -> bool:
    expires = order.expires_at
    return order.status is Status.RESERVED and expires is not None and expires + grace < now


_FIRST = (Status.RESERVED, Status.REJECTED)
_NEXT: Mapping[Status, tuple[Status, ...]] = {
    Status.RESERVED: (Status.CONFIRMED, Status.CANCELLED),
    Status.CONFIRMED: (Status.REFUNDED,),
    # A charge that came too late, and its refund, are noted on the order it could not confirm.
    Status.CANCELLED: (Status.CANCELLED,),
}


def _history(order: Order) -> Iterator[str]:
    steps = [step.status for step in order.history]
    if not steps:
        yield "has no history"
        return
    if steps[0] not in _FIRST:
        yield f"began as {steps[0]}"
    for before, after in pairwise(steps):
        if after not in _NEXT.get(before, ()):
            yield f"went from {before} to {after}"
    if steps[-1] is not order.status:
        yield f"is {order.status}, its history ends {steps[-1]}"


def _lines(order: Order) -> Iterator[str]:
    if not order.lines:
        yield "has no items"
    if len({line.sku for line in order.lines}) < len(order.lines):
        yield "names a SKU twice"
    if any(line.quantity < 1 for line in order.lines):
        yield "has a quantity below one"
    amount = sum(line.quantity * line.unit_price_minor for line in order.lines)
    if order.status is not Status.REJECTED and order.amount_minor != amount:
        yield f"amounts to {order.amount_minor}, its items to {amount}"


def _facts(order: Order) -> Iterator[str]:
    """What an order in its status must know, and must not."""
    payment = order.payment
    charged = payment is not None and payment.charge_id is not None
    refunded = payment is not None and payment.refund_id is not None
    if order.status is not Status.REJECTED and order.currency is None:
        yield "has no currency"
    match order.status:
        case Status.RESERVED if order.expires_at is None:
            yield "is reserved for ever"
        case Status.CONFIRMED if not charged:
            yield "is confirmed without a charge"
        case Status.CONFIRMED if refunded:
            yield "is confirmed, yet refunded"
        case Status.REFUNDED if not (charged and refunded):
            yield "is refunded without a charge or a refund"
        case Status.CANCELLED | Status.REJECTED if order.reason is None:
            yield f"is {order.status.lower()} without a reason"
        case _:
            pass
