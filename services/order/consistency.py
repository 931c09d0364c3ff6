"""The consistency rules of the two tables. Pure.

Orders are streamed: only the sums per SKU and the discrepancies are held in memory.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from services.shared.ledger import Key, Order, Status, Stock

LONGEST_USUAL_HOLD = timedelta(minutes=15)
"""Of payments that do not take days; the longest delay of SQS."""
REFUNDED_WITHIN = timedelta(hours=1)
"""A message is delivered five times in half an hour; then it waits in the dead-letter queue."""


class Kind(StrEnum):
    RESERVED = "reserved"
    """`reserved` is not what the open orders add up to."""
    AVAILABLE = "available"
    """`available` is not `stock - reserved`."""
    NEGATIVE = "negative"
    MISSING = "missing_sku"
    """Open orders hold a SKU that is not in the inventory."""
    OVERDUE = "overdue"
    """A reservation is past its expiry."""
    SHAPE = "shape"
    """An order is in a state that no order can reach."""
    CHARGED = "charged"
    """An order was charged, but neither confirmed nor refunded."""
    UNREFUNDED = "unrefunded"
    """A refund is promised in an order, and was not made."""
    UNREADABLE = "unreadable"
    """A row of a table cannot be read."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    kind: Kind
    key: Key
    message: str
    drift: int = 0
    """Units by which `reserved` and the open orders differ."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    orders: int
    open: int
    skus: int
    by_sku: tuple[Discrepancy, ...]
    by_order: tuple[Discrepancy, ...]
    unreadable: tuple[Discrepancy, ...] = ()
    units_held_long: int = 0
    """Units in open reservations that have not ended, and last longer than usual ones."""
    moving: tuple[Key, ...] = ()
    """SKUs that changed during every check and could not be judged."""

    @property
    def discrepancies(self) -> tuple[Discrepancy, ...]:
        return (*self.unreadable, *self.by_sku, *self.by_order)

    def count(self, kind: Kind) -> int:
        return sum(discrepancy.kind is kind for discrepancy in self.discrepancies)

    @property
    def drift(self) -> int:
        """Units by which `reserved` and the open orders differ, summed over the SKUs."""
        return sum(discrepancy.drift for discrepancy in self.by_sku)


@dataclass(slots=True)
class _Tally:
    orders: int = 0
    open: int = 0
    units_held_long: int = 0
    reserved: dict[Key, int] = field(default_factory=dict)
    discrepancies: list[Discrepancy] = field(default_factory=list)


def find_discrepancies(
    orders: Iterable[Order], stock: Iterable[Stock], now: datetime, grace: timedelta = timedelta()
) -> Reconciliation:
    """Add up the open orders, and compare the sums with the stock."""
    tally = _Tally()
    for order in orders:
        tally.orders += 1
        if order.status is Status.RESERVED:
            tally.open += 1
            for line in order.lines:
                key = Key(order.key.tenant_id, line.sku)
                tally.reserved[key] = tally.reserved.get(key, 0) + line.quantity
            if _is_held_long(order) and not overdue(order, now, grace):
                tally.units_held_long += sum(line.quantity for line in order.lines)
        tally.discrepancies += check_order(order, now, grace)
    skus = 0
    by_sku: list[Discrepancy] = []
    unmatched = dict(tally.reserved)
    for one in stock:
        skus += 1
        by_sku += _check_stock(one, unmatched.pop(one.key, 0))
    by_sku += [
        Discrepancy(
            Kind.MISSING, key, f"{quantity} reserved by open orders, but the SKU does not exist", quantity
        )
        for key, quantity in unmatched.items()
    ]
    return Reconciliation(
        tally.orders,
        tally.open,
        skus,
        tuple(by_sku),
        tuple(tally.discrepancies),
        units_held_long=tally.units_held_long,
    )


def _is_held_long(order: Order) -> bool:
    # Without a history the order is impossible, and reported as that.
    since = order.history[0].at if order.history else None
    return bool(order.expires_at and since and order.expires_at - since > LONGEST_USUAL_HOLD)


def _check_stock(stock: Stock, held: int) -> Iterator[Discrepancy]:
    if stock.reserved != held:
        message = f"{stock.reserved} reserved, open orders hold {held}"
        yield Discrepancy(Kind.RESERVED, stock.key, message, abs(stock.reserved - held))
    if stock.available != (expected := stock.stock - stock.reserved):
        message = f"{stock.available} available, {stock.stock} - {stock.reserved} is {expected}"
        yield Discrepancy(Kind.AVAILABLE, stock.key, message)
    for name, number in (
        ("stock", stock.stock),
        ("reserved", stock.reserved),
        ("available", stock.available),
    ):
        if number < 0:
            yield Discrepancy(Kind.NEGATIVE, stock.key, f"{name} is {number}")


def check_order(order: Order, now: datetime, grace: timedelta) -> Iterator[Discrepancy]:
    if overdue(order, now, grace) and order.expires_at is not None:
        yield Discrepancy(
            Kind.OVERDUE, order.key, f"expired at {order.expires_at:%Y-%m-%d %H:%M:%S} and was not released"
        )
    payment = order.payment
    unsettled = order.status in (Status.RESERVED, Status.CANCELLED, Status.REJECTED)
    if unsettled and payment is not None and payment.charge_id and not _is_refunded(order):
        yield Discrepancy(Kind.CHARGED, order.key, f"{order.status} but charged ({payment.charge_id})")
    yield from _unrefunded(order, now)
    for message in impossible(order):
        yield Discrepancy(Kind.SHAPE, order.key, message)


def _unrefunded(order: Order, now: datetime) -> Iterator[Discrepancy]:
    """Find what was set aside for refunds longer ago than their messages are delivered."""
    refunds = order.payment.refunds if order.status is Status.CONFIRMED and order.payment else ()
    owed = sum(refund.amount_minor for refund in refunds if refund.id is None)
    # Whatever happened to the order since then was about its refunds.
    since = order.history[-1].at if order.history else now
    if owed and since + REFUNDED_WITHIN < now:
        message = (
            f"{owed} {order.currency} set aside for refunds at {since:%Y-%m-%d %H:%M:%S}, not given back"
        )
        yield Discrepancy(Kind.UNREFUNDED, order.key, message)


def impossible(order: Order) -> Iterator[str]:
    """Name each way in which an order contradicts itself; nothing if it is consistent."""
    yield from _history(order)
    yield from _lines(order)
    yield from _status(order)


def overdue(order: Order, now: datetime, grace: timedelta) -> bool:
    expires = order.expires_at
    return order.status is Status.RESERVED and expires is not None and expires + grace < now


_FIRST = (Status.RESERVED, Status.REJECTED)
_NEXT: Mapping[Status, tuple[Status, ...]] = {
    # The intent to charge, and a pending answer, are recorded on the reserved order.
    Status.RESERVED: (Status.RESERVED, Status.CONFIRMED, Status.CANCELLED),
    # What is to be given back, and a part that was, are recorded on the confirmed order.
    Status.CONFIRMED: (Status.CONFIRMED, Status.REFUNDED),
    # A late charge and its refund are recorded on the cancelled order.
    Status.CANCELLED: (Status.CANCELLED,),
}


def _history(order: Order) -> Iterator[str]:
    steps = [step.status for step in order.history]
    if not steps:
        yield "has no history"
        return
    if steps[0] not in _FIRST:
        yield f"started as {steps[0]}"
    for before, after in pairwise(steps):
        if after not in _NEXT.get(before, ()):
            yield f"went from {before} to {after}"
    if steps[-1] is not order.status:
        yield f"is {order.status}, but its history ends with {steps[-1]}"


def _lines(order: Order) -> Iterator[str]:
    if not order.lines:
        yield "has no items"
    if len({line.sku for line in order.lines}) < len(order.lines):
        yield "lists a SKU twice"
    if any(line.quantity < 1 for line in order.lines):
        yield "has a quantity below one"
    amount = sum(line.quantity * line.unit_price_minor for line in order.lines)
    if order.status is not Status.REJECTED and order.amount_minor != amount:
        yield f"has the amount {order.amount_minor}, but its items add up to {amount}"


def _status(order: Order) -> Iterator[str]:
    """Check what an order in its status must have, and must not have."""
    payment = order.payment
    charged = payment is not None and payment.charge_id is not None
    refunded = _is_refunded(order)
    if payment is not None and payment.claimed_minor > order.amount_minor:
        yield f"gives back {payment.claimed_minor} of {order.amount_minor}"
    if order.status is not Status.REJECTED and order.currency is None:
        yield "has no currency"
    match order.status:
        case Status.RESERVED if order.expires_at is None:
            yield "is reserved without an expiry"
        case Status.CONFIRMED if not charged:
            yield "is confirmed without a charge"
        case Status.CONFIRMED if refunded:
            yield "is confirmed but refunded"
        case Status.REFUNDED if not (charged and refunded):
            yield "is refunded without a charge, or not wholly"
        case Status.CANCELLED | Status.REJECTED if order.reason is None:
            yield f"is {order.status.lower()} without a reason"
        case _:
            pass


def _is_refunded(order: Order) -> bool:
    """Whether all that was paid was given back."""
    payment = order.payment
    return (
        payment is not None
        and any(refund.id is not None for refund in payment.refunds)
        and payment.refunded_minor >= order.amount_minor
    )
