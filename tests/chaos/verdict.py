"""Holds what a run left behind against what it asked for. Pure, and says exactly what is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from scripts.ops.dlq.messages import DeadLetter
from services.order.consistency import find_discrepancies
from services.shared.ledger import Key, Order, Status, Stock
from tests.chaos.plan import Plan, PlannedOrder, Poison

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
    description: str


@dataclass(frozen=True)
class PublishedEvent:
    """One event that a witness saw on the bus; it may have been seen many times."""

    name: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class SystemState:
    """Everything that is there when nothing moves any more."""

    orders: Sequence[Order]
    stock: Sequence[Stock]
    dead_letters: Sequence[DeadLetter]
    events: Sequence[PublishedEvent]

    @cached_property
    def by_id(self) -> dict[str, Order]:
        return {order.key.id: order for order in self.orders}


def check(plan: Plan, state: SystemState, now: datetime) -> list[Finding]:
    """Find everything that was lost, doubled or leaked."""
    return [
        *_invariants(state, now),
        *_shelves(plan, state),
        *_decisions(plan, state),
        *_charges(state),
        *_poison(plan, state),
        *_events(state),
    ]


def end_of(order: Order) -> str:
    """Name an order's end as plans do."""
    events = order.status in (Status.CANCELLED, Status.REJECTED)
    return f"{order.status.value} {order.reason}" if events else order.status.value


def _invariants(state: SystemState, now: datetime) -> Iterator[Finding]:
    """Apply the rules of `pulsequeue audit` first; nothing may be reserved any more."""
    for found in find_discrepancies(state.orders, state.stock, now).discrepancies:
        yield Finding(Wrong.LEAKED, found.key.pk, f"{found.kind}: {found.message}")
    for stock in state.stock:
        if stock.reserved:
            yield Finding(Wrong.LEAKED, stock.key.pk, f"{stock.reserved} still reserved when all is over")


def _shelves(plan: Plan, state: SystemState) -> Iterator[Finding]:
    """Only what was sold leaves stock, and only what was returned comes back."""
    sold: Counter[Key] = Counter()
    for order in state.orders:
        returned = order.payment is not None and order.payment.restocked
        if order.status in (Status.CONFIRMED, Status.REFUNDED) and not returned:
            for line in order.lines:
                sold[Key(order.key.tenant_id, line.sku)] += line.quantity
    there = {stock.key: stock.stock for stock in state.stock}
    for initial in plan.stock:
        expected, found = initial.stock - sold[initial.key], there.get(initial.key)
        if found != expected:
            description = f"{initial.stock} at first, {sold[initial.key]} sold, {found} left"
            yield Finding(Wrong.LEAKED, initial.key.pk, description)


def _decisions(plan: Plan, state: SystemState) -> Iterator[Finding]:
    for order_id, planned in plan.orders.items():
        order = state.by_id.get(order_id)
        if order is None:
            yield Finding(Wrong.LOST, order_id, "was placed, and is not there")
        else:
            yield from _decision(planned, order)
    for order_id in state.by_id.keys() - plan.orders.keys():
        yield Finding(Wrong.OTHER, order_id, "is there, and nobody placed it")


def _decision(planned: PlannedOrder, order: Order) -> Iterator[Finding]:
    if order.status is Status.RESERVED:
        yield Finding(Wrong.LOST, planned.order_id, "was never decided")
    elif end_of(order) not in planned.ends:
        yield Finding(Wrong.OTHER, planned.order_id, f"{planned.kind}: ended {end_of(order)}")
    got = (order.customer_id, {line.sku: line.quantity for line in order.lines})
    if got != (planned.detail["customerId"], planned.quantities):
        yield Finding(Wrong.OTHER, planned.order_id, f"is not what was asked for: {got}")


def _charges(state: SystemState) -> Iterator[Finding]:
    """One charge for each order that was paid, its own, and none for anybody else."""
    charges: defaultdict[str, set[str]] = defaultdict(set)
    events: defaultdict[str, set[str]] = defaultdict(set)
    for event in state.events:
        if event.name == "PaymentProcessed":
            events[event.detail["orderId"]].add(event.detail["chargeId"])
    for order in state.orders:
        charge = order.payment.charge_id if order.payment else None
        if charge is not None:
            charges[charge].add(order.key.id)
        known = events.pop(order.key.id, set()) - {charge}
        if known:
            yield Finding(Wrong.DOUBLED, order.key.id, f"charged as {charge}, announced as {sorted(known)}")
    for charge, orders in charges.items():
        if len(orders) > 1 and charge != FREE:
            yield Finding(Wrong.DOUBLED, charge, f"is the charge of {sorted(orders)}")


def _poison(plan: Plan, state: SystemState) -> Iterator[Finding]:
    """Each unreadable message lies where it belongs and says why; nothing that can be read lies there."""
    for poison in plan.poison:
        for function in sorted(poison.functions):
            yield from _dead_letter_findings(poison, function, state)
    for dead_letter in state.dead_letters:
        if not any(_is(poison, dead_letter) for poison in plan.poison):
            description = (
                f"can be read, and lies in the dead letters of {dead_letter.function}: {dead_letter.reason}"
            )
            yield Finding(Wrong.LOST, f"{dead_letter.event} {dead_letter.order_id}", description)


def _dead_letter_findings(poison: Poison, function: str, state: SystemState) -> Iterator[Finding]:
    reasons = {
        dead_letter.reason
        for dead_letter in state.dead_letters
        if dead_letter.function == function and _is(poison, dead_letter)
    }
    if not reasons:
        yield Finding(Wrong.LOST, poison.mark, f"is not among the dead letters of {function}")
    elif reasons != {poison.reason}:
        description = f"lies in the dead letters of {function} for {sorted(reasons)}, not for {poison.reason}"
        yield Finding(Wrong.OTHER, poison.mark, description)


def _is(poison: Poison, dead_letter: DeadLetter) -> bool:
    # Marks end in a number: one must not be taken for the beginning of another.
    _, mark, after = dead_letter.body.partition(poison.mark)
    return bool(mark) and dead_letter.function in poison.functions and not after[:1].isdigit()


def _events(state: SystemState) -> Iterator[Finding]:
    yield from _variants(state)
    ids: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in state.events:
        ids[event.detail["correlationId"]][event.name].add(event.detail["eventId"])
    for about, names in ids.items():
        for name, known in names.items():
            if len(known) > 1:
                yield Finding(Wrong.DOUBLED, about, f"{name} published as {len(known)} different events")
    for order in state.orders:
        must, must_not = _required_events(order)
        events = ids[order.key.id].keys()
        if missing := must - events:
            yield Finding(
                Wrong.LOST, order.key.id, f"ended {end_of(order)} without telling {sorted(missing)}"
            )
        if lies := must_not & events:
            yield Finding(Wrong.OTHER, order.key.id, f"ended {end_of(order)}, yet announced {sorted(lies)}")


def _variants(state: SystemState) -> Iterator[Finding]:
    """An event that is published again must be the same event."""
    first: dict[str, PublishedEvent] = {}
    differing: set[str] = set()
    for event in state.events:
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
            description = f"{' and '.join(names)} published with the same id, but different {fields}"
            yield Finding(Wrong.DOUBLED, event_id, description)


_ENDS = {"OrderConfirmed", "OrderCancelled", "OrderRejected", "RefundProcessed", "PaymentFailed"}


def _required_events(order: Order) -> tuple[set[str], set[str]]:
    """List the events that must, and must not, have been published about an order in its end state."""
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
            # Cancelled before a payment was requested: then none is requested.
            must = {"OrderCancelled"}
        case _:
            return must, _ENDS
    return must, _ENDS - must
