"""Stock and the orders that claim it: the values, the legal moves, and the two ports.

`Ledger` is what services talk to. `Store` is what a database must be able to do; all cleverness about
batches lives between the two, in group_commit.py, and so runs the same over every store.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from services.shared.events import MAX_UNIT_PRICE, Item


class Key(NamedTuple):
    """The name of an order or a SKU within its tenant."""

    tenant_id: str
    id: str

    @property
    def pk(self) -> str:
        return f"{self.tenant_id}#{self.id}"

    @classmethod
    def of(cls, pk: str) -> "Key":
        tenant_id, _, name = pk.partition("#")
        return cls(tenant_id, name)


class Status(StrEnum):
    RESERVED = "RESERVED"
    CONFIRMED = "CONFIRMED"
    REFUNDED = "REFUNDED"
    """All that was paid was given back; an order of which a part was given back stays CONFIRMED."""
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Price:
    minor: int
    currency: str

    @property
    def sellable(self) -> bool:
        """Whether an event can carry this price; a table may hold values that no event can."""
        return 0 <= self.minor <= MAX_UNIT_PRICE and re.fullmatch("[A-Z]{3}", self.currency) is not None


@dataclass(frozen=True, slots=True)
class Stock:
    """One SKU: `available` is always `stock - reserved`."""

    key: Key
    stock: int
    reserved: int
    available: int
    price: Price
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A change to the three numbers of one SKU."""

    stock: int = 0
    reserved: int = 0
    available: int = 0

    def __add__(self, other: "Delta") -> "Delta":
        return Delta(
            self.stock + other.stock, self.reserved + other.reserved, self.available + other.available
        )


@dataclass(frozen=True, slots=True)
class Line:
    sku: str
    quantity: int
    unit_price_minor: int = 0


@dataclass(frozen=True, slots=True)
class Transition:
    """An order reached `status`; `event_id` names the event that caused it."""

    status: Status
    at: datetime
    event_id: str


@dataclass(frozen=True, slots=True)
class Refund:
    """An amount to give back, written before the gateway is asked: several never exceed what was paid."""

    request_id: str
    """The event that asked for it; of a late charge, the charge; empty in orders of older releases."""
    amount_minor: int
    reason: str
    restocked: bool = False
    """Whether it returns all units of the order to the stock; at most one refund of an order does."""
    id: str | None = None
    """The gateway's id; None until the money was given back."""
    at: datetime | None = None
    """When it was given back."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What the gateway said: a charge, perhaps given back later, or a refusal; at times both."""

    charge_id: str | None = None
    declined: str | None = None
    refunds: tuple[Refund, ...] = ()
    intent_id: str | None = None
    """The gateway's id of what is to be charged, written before it is charged."""
    pending: bool = False
    """The gateway will answer later."""

    @property
    def claimed_minor(self) -> int:
        """What was given back, or is about to be."""
        return sum(refund.amount_minor for refund in self.refunds)

    @property
    def refunded_minor(self) -> int:
        return sum(refund.amount_minor for refund in self.refunds if refund.id is not None)

    @property
    def restocked(self) -> bool:
        return any(refund.restocked and refund.id is not None for refund in self.refunds)


@dataclass(frozen=True, slots=True)
class Order:
    key: Key
    status: Status
    customer_id: str
    lines: tuple[Line, ...]
    placed_at: datetime
    history: tuple[Transition, ...]
    amount_minor: int = 0
    currency: str | None = None
    payment_method: str | None = None
    expires_at: datetime | None = None
    cancellable_until: datetime | None = None
    reason: str | None = None
    blamed: tuple[str, ...] = ()
    payment: Payment | None = None

    @property
    def version(self) -> int:
        return len(self.history)

    def moved(
        self,
        status: Status,
        at: datetime,
        event_id: str,
        *,
        reason: str | None = None,
        payment: Payment | None = None,
    ) -> "Order":
        return replace(
            self,
            status=status,
            reason=reason or self.reason,
            payment=payment or self.payment,
            history=(*self.history, Transition(status, at, event_id)),
        )

    def entered(self, status: Status) -> Transition:
        """Tell when and why the order first came into a status it is known to have been in."""
        return next(step for step in self.history if step.status is status)


@dataclass(frozen=True, slots=True)
class Placement:
    """An order as it asks to be admitted: quantities already added up per SKU."""

    key: Key
    customer_id: str
    quantities: tuple[tuple[str, int], ...]
    placed_at: datetime
    payment_method: str | None
    at: datetime
    expires_at: datetime
    event_id: str
    expected_amount_minor: int | None = None
    cancellable_until: datetime | None = None

    def stock_keys(self) -> list[Key]:
        return [Key(self.key.tenant_id, sku) for sku, _ in self.quantities]


@dataclass(frozen=True, slots=True)
class Move:
    """An order known to be `before` asks to become `after`."""

    before: Order
    after: Order

    @property
    def key(self) -> Key:
        return self.before.key

    def stock_keys(self) -> list[Key]:
        return list(effects(self.before, self.after))


def sum_quantities(items: Sequence[Item]) -> tuple[tuple[str, int], ...]:
    """Add quantities per SKU, in the order in which the SKUs first appear."""
    totals: dict[str, int] = {}
    for item in items:
        totals[item.sku] = totals.get(item.sku, 0) + item.quantity
    return tuple(totals.items())


_PER_UNIT = {
    (None, Status.RESERVED): Delta(reserved=1, available=-1),
    (None, Status.REJECTED): Delta(),
    # The intent to charge, and that its answer is pending, are noted on the reservation.
    (Status.RESERVED, Status.RESERVED): Delta(),
    (Status.RESERVED, Status.CONFIRMED): Delta(stock=-1, reserved=-1),
    (Status.RESERVED, Status.CANCELLED): Delta(reserved=-1, available=1),
    # What is to be given back, and that a part of it was, are noted on the confirmed order.
    (Status.CONFIRMED, Status.CONFIRMED): Delta(),
    (Status.CONFIRMED, Status.REFUNDED): Delta(),
    # A payment that came too late is noted on the order it could no longer confirm.
    (Status.CANCELLED, Status.CANCELLED): Delta(),
}
_RESTOCK = Delta(stock=1, available=1)


def effects(before: Order | None, after: Order) -> dict[Key, Delta]:
    """What a legal transition does to the stock of each SKU. An illegal one is a defect, and raises."""
    try:
        unit = _PER_UNIT[before.status if before else None, after.status]
    except KeyError:
        raise ValueError(f"no order goes from {before and before.status} to {after.status}") from None
    if _restocked(after) and not _restocked(before):
        unit += _RESTOCK
    if unit == Delta():
        return {}
    return {
        Key(after.key.tenant_id, line.sku): Delta(
            unit.stock * line.quantity, unit.reserved * line.quantity, unit.available * line.quantity
        )
        for line in after.lines
    }


def _restocked(order: Order | None) -> bool:
    return order is not None and order.payment is not None and order.payment.restocked


# --- what became of a placement or a move -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Committed:
    """It happened, just now, as asked; a placement may have been committed as a rejection."""

    order: Order


@dataclass(frozen=True, slots=True)
class Found:
    """Nothing changed, because the order already was as it is here."""

    order: Order


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Contention, throttling or a broken item stood in the way; nothing is known to have changed."""

    why: str
    broken: bool = False
    """An item can never be changed this way: another attempt will not help, an operator will."""


Outcome = Committed | Found | Unsettled


class Ledger(Protocol):
    def reserve(self, placements: Sequence[Placement]) -> Mapping[Key, Outcome]:
        """Admit or reject each order, all its SKUs together or none. Keys must be distinct."""

    def move(self, moves: Sequence[Move]) -> Mapping[Key, Outcome]:
        """Take each order from the state it was read in to its next. Keys must be distinct."""

    def orders(self, keys: Collection[Key]) -> Mapping[Key, Order | Unsettled]:
        """Read the orders that exist, as of now; Unsettled stands for one that could not be read."""


# --- what a store must be able to do ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StockWrite:
    """Change one SKU, on condition that no number goes below zero and the price is still this one."""

    key: Key
    delta: Delta
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class OrderWrite:
    """Write an order, on condition that it still is as it was read (None: that there is none)."""

    before: Order | None
    after: Order

    @property
    def key(self) -> Key:
        return self.after.key


Write = StockWrite | OrderWrite


@dataclass(frozen=True, slots=True)
class Passed:
    """This write did not stand in the way."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition of this write failed against what is there now."""

    current: Stock | Order | None


@dataclass(frozen=True, slots=True)
class Busy:
    """Another transaction held this item, or its partition is throttled."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The store can never apply this write to this item."""

    why: str


Verdict = Passed | Refused | Busy | Broken


class Store(Protocol):
    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        """Apply all writes or none. Empty when applied, else one verdict per write.

        Raises StoreUnavailableError when the store gave no usable answer: the writes may have been applied.
        """

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        """Read the orders that exist; raises IncompleteReadError with what could be read."""

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        """Read the SKUs that exist; raises IncompleteReadError with what could be read."""
