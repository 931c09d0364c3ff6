"""Holds what a run left behind against what it asked for. Pure, and says exactly what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from scripts.ops.dlq.messages import DeadLetter
from scripts.ops.reconcile.rules import find_discrepancies
from services.shared.ledger import Key, Order, Status, Stock
from tests.chaos.plan import Asked, Plan, Poison

FREE = "free"
"""The charge of what costs nothing; many orders share it."""


class Wrong(StrEnum):
    LOST = "lost"
    DOUBLED = "doubled"
    LEAKED = "leaked"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    wrong: Wrong
    about: str
    says: str


@dataclass(frozen=True)
class Told:
    """One event that a witness saw on the bus; it may have been seen many times."""

    name: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Store:
    """Everything that is there when nothing moves any more."""

    orders: Sequence[Order]
    stock: Sequence[Stock]
    letters: Sequence[DeadLetter]
    told: Sequence[Told]

    @cached_property
    def by_id(self) -> dict[str, Order]:
        return {order.key.id: order for order in self.orders}


def check(plan: Plan, books: Store, now: datetime) -> list[Finding]:
    """Find everything that was lost, doubled or leaked."""
    return [
        *_invariants(books, now),
        *_shelves(plan, books),
        *_decisions(plan, books),
        *_charges(books),
        *_poison(plan, books),
        *_events(books),
    ]


def end_of(order: Order) -> str:
    """Name an order's end as plans do."""
    told = order.status in (Status.CANCELLED, Status.REJECTED)
    return f"{order.status.value} {order.reason}" if told else order.status.value


def _invariants(books: Store, now: datetime) -> Iterator[Finding]:
    """Apply the rules of `pulsequeue audit` first; nothing may be reserved any more."""
    for found in find_discrepancies(books.orders, books.stock, now).discrepancies:
        yield Finding(Wrong.LEAKED, found.key.pk, f"{found.kind}: {found.message}")
    for stock in books.stock:
        if stock.reserved:
            yield Finding(Wrong.LEAKED, stock.key.pk, f"{stock.reserved} still reserved when all is over")


def _shelves(plan: Plan, books: Store) -> Iterator[Finding]:
    """Nothing leaves a shelf but what was sold, and nothing comes back but what was returned."""
    sold: Counter[Key] = Counter()
    for order in books.orders:
        returned = order.payment is not None and order.payment.restocked
        if order.status is Status.CONFIRMED or (order.status is Status.REFUNDED and not returned):
            for line in order.lines:
                sold[Key(order.key.tenant_id, line.sku)] += line.quantity
    there = {stock.key: stock.stock for stock in books.stock}
    for shelf in plan.stock:
        expected, found = shelf.stock - sold[shelf.key], there.get(shelf.key)
        if found != expected:
            says = f"{shelf.stock} at first, {sold[shelf.key]} sold, {found} left"
            yield Finding(Wrong.LEAKED, shelf.key.pk, says)


def _decisions(plan: Plan, books: Store) -> Iterator[Finding]:
    for order_id, asked in plan.orders.items():
        order = books.by_id.get(order_id)
        if order is None:
            yield Finding(Wrong.LOST, order_id, "was placed, and is not there")
        else:
            yield from _decision(asked, order)
    for order_id in books.by_id.keys() - plan.orders.keys():
        yield Finding(Wrong.OTHER, order_id, "is there, and nobody placed it")


def _decision(asked: Asked, order: Order) -> Iterator[Finding]:
    if order.status is Status.RESERVED:
        yield Finding(Wrong.LOST, asked.order_id, "was never decided")
    elif end_of(order) not in asked.ends:
        yield Finding(Wrong.OTHER, asked.order_id, f"{asked.kind}: ended {end_of(order)}")
    got = (order.customer_id, {line.sku: line.quantity for line in order.lines})
    if got != (asked.detail["customerId"], asked.quantities):
        yield Finding(Wrong.OTHER, asked.order_id, f"is not what was asked for: {got}")


def _charges(books: Store) -> Iterator[Finding]:
    """One charge for each order that was paid, its own, and none for anybody else."""
    charges: defaultdict[str, set[str]] = defaultdict(set)
    told: defaultdict[str, set[str]] = defaultdict(set)
    for event in books.told:
        if event.name == "PaymentProcessed":
            told[event.detail["orderId"]].add(event.detail["chargeId"])
    for order in books.orders:
        charge = order.payment.charge_id if order.payment else None
        if charge is not None:
            charges[charge].add(order.key.id)
        known = told.pop(order.key.id, set()) - {charge}
        if known:
            yield Finding(Wrong.DOUBLED, order.key.id, f"charged as {charge}, told as {sorted(known)}")
    for charge, orders in charges.items():
        if len(orders) > 1 and charge != FREE:
            yield Finding(Wrong.DOUBLED, charge, f"is the charge of {sorted(orders)}")


def _poison(plan: Plan, books: Store) -> Iterator[Finding]:
    """Each unreadable message lies where it belongs and says why; nothing that can be read lies there."""
    for poison in plan.poison:
        for function in sorted(poison.functions):
            yield from _buried(poison, function, books)
    for dead_letter in books.letters:
        if not any(_is(poison, dead_letter) for poison in plan.poison):
            says = (
                f"can be read, and lies in the dead letters of {dead_letter.function}: {dead_letter.reason}"
            )
            yield Finding(Wrong.LOST, f"{dead_letter.event} {dead_letter.order_id}", says)


def _buried(poison: Poison, function: str, books: Store) -> Iterator[Finding]:
    reasons = {
        dead_letter.reason
        for dead_letter in books.letters
        if dead_letter.function == function and _is(poison, dead_letter)
    }
    if not reasons:
        yield Finding(Wrong.LOST, poison.mark, f"is not among the dead letters of {function}")
    elif reasons != {poison.reason}:
        says = f"lies in the dead letters of {function} for {sorted(reasons)}, not for {poison.reason}"
        yield Finding(Wrong.OTHER, poison.mark, says)


def _is(poison: Poison, dead_letter: DeadLetter) -> bool:
    # Marks end in a number: one must not be taken for the beginning of another.
    _, mark, after = dead_letter.body.partition(poison.mark)
    return bool(mark) and dead_letter.function in poison.functions and not after[:1].isdigit()


def _events(books: Store) -> Iterator[Finding]:
    yield from _variants(books)
    ids: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in books.told:
        ids[event.detail["correlationId"]][event.name].add(event.detail["eventId"])
    for about, names in ids.items():
        for name, known in names.items():
            if len(known) > 1:
                yield Finding(Wrong.DOUBLED, about, f"{name} told as {len(known)} different events")
    for order in books.orders:
        must, must_not = _owed(order)
        told = ids[order.key.id].keys()
        if missing := must - told:
            yield Finding(
                Wrong.LOST, order.key.id, f"ended {end_of(order)} without telling {sorted(missing)}"
            )
        if lies := must_not & told:
            yield Finding(Wrong.OTHER, order.key.id, f"ended {end_of(order)}, yet told {sorted(lies)}")


def _variants(books: Store) -> Iterator[Finding]:
    """An event told again must be the same event."""
    first: dict[str, Told] = {}
    differing: set[str] = set()
    for event in books.told:
        event_id = event.detail["eventId"]
        known = first.setdefault(event_id, event)
        if known != event and event_id not in differing:
            differing.add(event_id)
            names = sorted({known.name, event.name})
            fields = sorted(
                name
                for name in known.detail.keys() | event.detail.keys()
                if known.detail.get(name) != event.detail.get(name)
            )
            says = f"{' and '.join(names)} told with the same id, but different {fields}"
            yield Finding(Wrong.DOUBLED, event_id, says)


_ENDS = {"OrderConfirmed", "OrderCancelled", "OrderRejected", "RefundProcessed", "PaymentFailed"}


def _owed(order: Order) -> tuple[set[str], set[str]]:
    """List the events that the world must, and must not, have heard of an order in its end state."""
    charged = order.payment is not None and order.payment.charge_id is not None
    must = {"PaymentRequested"}
    match order.status:
        case Status.CONFIRMED:
            must |= {"PaymentProcessed", "OrderConfirmed"}
        case Status.REFUNDED:
            must |= {"PaymentProcessed", "OrderConfirmed", "RefundProcessed"}
        case Status.REJECTED:
            must = {"OrderRejected"}
        case Status.CANCELLED if charged:
            must |= {"OrderCancelled", "PaymentProcessed", "RefundProcessed"}
        case Status.CANCELLED if order.reason == "payment_failed":
            must |= {"OrderCancelled", "PaymentFailed"}
        case Status.CANCELLED if order.reason == "reservation_expired":
            must.add("OrderCancelled")
        case Status.CANCELLED:
            # Called off before anybody was asked to pay for it: then nobody is asked any more.
            must = {"OrderCancelled"}
        case _:
            return must, _ENDS
    return must, _ENDS - must
