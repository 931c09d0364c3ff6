"""Group commit without a database: which orders share a transaction, what to write, what a refusal teaches.

Pure. A round is: `admit` decides from what is known, `writes` spells the transaction out, the store
answers, `learn` turns its answer into knowledge for the next round.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from services.shared.ledger import (
    Broken,
    Busy,
    Delta,
    Key,
    Line,
    Move,
    Order,
    OrderWrite,
    Placement,
    Price,
    Refused,
    Status,
    Stock,
    StockWrite,
    Transition,
    Verdict,
    Write,
    effects,
)

MAX_ACTIONS = 100
"""DynamoDB's limit for one TransactWriteItems."""


class Packable(Protocol):
    @property
    def key(self) -> Key: ...

    def stock_keys(self) -> list[Key]: ...


P = TypeVar("P", bound=Packable)
Pack = list[P]


def plan(work: Sequence[P], max_actions: int = MAX_ACTIONS) -> list[list[Pack[P]]]:
    """Arrange work into chains of packs, in arrival order within each chain.

    Orders that share a SKU, directly or through others, go into the same chain, whose packs are committed
    one after the other: so first come is first served, and no two transactions of ours fight over an item.
    Chains share nothing and may run at the same time. What is small enough shares a pack, to save calls.
    """
    chains: list[list[Pack[P]]] = []
    open_packs: list[tuple[Pack[P], int]] = []
    for group in _connected(work):
        packs = list(_cut(group, max_actions))
        if len(packs) > 1:
            chains.append([pack for pack, _ in packs])
            continue
        pack, actions = packs[0]
        for index, (other, taken) in enumerate(open_packs):
            if taken + actions <= max_actions:
                other.extend(pack)
                open_packs[index] = (other, taken + actions)
                break
        else:
            open_packs.append((pack, actions))
            chains.append([pack])
    return chains


def _connected(work: Sequence[P]) -> Iterable[list[P]]:
    """Group work that shares SKUs, keeping arrival order inside each group."""
    parent: dict[Key, Key] = {}

    def root(key: Key) -> Key:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    anchors: list[Key | None] = []
    for one in work:
        keys = one.stock_keys()
        for key in keys[1:]:
            parent[root(key)] = root(keys[0])
        anchors.append(keys[0] if keys else None)
    groups: dict[object, list[P]] = {}
    for index, (one, anchor) in enumerate(zip(work, anchors, strict=True)):
        groups.setdefault(index if anchor is None else root(anchor), []).append(one)
    return groups.values()


def _cut(group: Sequence[P], max_actions: int) -> Iterable[tuple[Pack[P], int]]:
    """Cut a group into packs of at most so many actions: one per order, one per distinct SKU."""
    pack: Pack[P] = []
    skus: set[Key] = set()
    for one in group:
        widened = skus.union(one.stock_keys())
        if pack and len(pack) + 1 + len(widened) > max_actions:
            yield pack, len(pack) + len(skus)
            pack, widened = [], set(one.stock_keys())
        pack.append(one)
        skus = widened
    yield pack, len(pack) + len(skus)


@dataclass(slots=True)
class Knowledge:
    """What is known of the SKUs at hand. A SKU known to be missing has the price None."""

    prices: dict[Key, Price | None] = field(default_factory=dict)
    available: dict[Key, int] = field(default_factory=dict)
    fresh: set[Key] = field(default_factory=set)
    """The SKUs whose price was seen just now; the other prices are remembered, and may be old."""
    scarce: set[Key] = field(default_factory=set)
    """The SKUs that an order was short of the last time; there may be more of them by now."""

    def note(self, key: Key, current: Stock | None) -> None:
        self.fresh.add(key)
        self.prices[key] = current.price if current else None
        if current:
            self.available[key] = current.available

    def forget_levels(self, keys: Iterable[Key]) -> None:
        """After a write of ours, the levels seen before it are history."""
        for key in keys:
            self.available.pop(key, None)

    def note_scarcity(self, committed: Iterable["Entry"]) -> None:
        """Learn from orders that were decided which SKUs run short, and which do so no longer."""
        for entry in committed:
            skus = {Key(entry.key.tenant_id, line.sku) for line in entry.after.lines}
            short = {Key(entry.key.tenant_id, sku) for sku in entry.after.blamed}
            if entry.after.reason == "out_of_stock":
                self.scarce |= short
            elif entry.after.status is Status.RESERVED:
                self.scarce -= skus


@dataclass(frozen=True, slots=True)
class Entry:
    """One order's part of a transaction."""

    before: Order | None
    after: Order

    @property
    def key(self) -> Key:
        return self.after.key


def admit(placements: Sequence[Placement], known: Knowledge) -> list[Entry]:
    """Decide each placement in arrival order, as far as what is known to be available reaches.

    A SKU whose level is unknown counts as plentiful: the condition of the write finds out.
    """
    remaining = dict(known.available)
    entries = []
    for placement in placements:
        order = _decide(placement, known.prices, remaining)
        if order.status is Status.RESERVED:
            for key, (_, quantity) in zip(placement.stock_keys(), placement.quantities, strict=True):
                if key in remaining:
                    remaining[key] -= quantity
        entries.append(Entry(None, order))
    return entries


def _decide(placement: Placement, prices: Mapping[Key, Price | None], remaining: Mapping[Key, int]) -> Order:
    lines: list[Line] = []
    unknown: list[str] = []
    short: list[str] = []
    currencies: dict[str, None] = {}
    for sku, quantity in placement.quantities:
        key = Key(placement.key.tenant_id, sku)
        price = prices.get(key)
        if price is None or not price.sellable:
            unknown.append(sku)
            continue
        if remaining.get(key, quantity) < quantity:
            short.append(sku)
        currencies[price.currency] = None
        lines.append(Line(sku, quantity, price.minor))
    if unknown:
        return _rejected(placement, "unknown_sku", unknown)
    if len(currencies) > 1:
        return _rejected(placement, "currency_mismatch", [line.sku for line in lines])
    if short:
        return _rejected(placement, "out_of_stock", short)
    return Order(
        key=placement.key,
        status=Status.RESERVED,
        customer_id=placement.customer_id,
        lines=tuple(lines),
        amount_minor=sum(line.quantity * line.unit_price_minor for line in lines),
        currency=next(iter(currencies)),
        payment_method=placement.payment_method,
        placed_at=placement.placed_at,
        expires_at=placement.expires_at,
        history=(Transition(Status.RESERVED, placement.at, placement.event_id),),
    )


def _rejected(placement: Placement, reason: str, blamed: Sequence[str]) -> Order:
    """Nothing is reserved, so nothing is priced."""
    return Order(
        key=placement.key,
        status=Status.REJECTED,
        customer_id=placement.customer_id,
        lines=tuple(Line(sku, quantity) for sku, quantity in placement.quantities),
        placed_at=placement.placed_at,
        reason=reason,
        blamed=tuple(blamed),
        history=(Transition(Status.REJECTED, placement.at, placement.event_id),),
    )


def doubtful(entries: Sequence[Entry], known: Knowledge) -> set[Key]:
    """Name the SKUs to look at before the transaction is tried.

    A reservation makes its prices exact by a condition on its writes. A rejection writes no SKU, and must not
    go by what is only remembered. And of what was short the last time a look costs less than being refused.
    """
    named: set[Key] = set()
    for entry in entries:
        skus = {Key(entry.key.tenant_id, line.sku) for line in entry.after.lines}
        if entry.after.reason == "currency_mismatch":
            named |= skus - known.fresh
        elif entry.before is None and entry.after.status is Status.RESERVED:
            named |= (skus & known.scarce) - known.available.keys()
    return named


def entries_of(moves: Sequence[Move], _known: Knowledge) -> list[Entry]:
    """Moves were decided by whoever read the orders; there is nothing to add."""
    return [Entry(move.before, move.after) for move in moves]


def writes(entries: Sequence[Entry]) -> list[Write]:
    """Spell out the transaction: one write per order, and one per SKU with everybody's quantities added."""
    deltas: dict[Key, Delta] = {}
    prices: dict[Key, Price] = {}
    for entry in entries:
        for key, delta in effects(entry.before, entry.after).items():
            deltas[key] = deltas[key] + delta if key in deltas else delta
        if entry.before is None and entry.after.currency is not None:
            for line in entry.after.lines:
                price = Price(line.unit_price_minor, entry.after.currency)
                prices[Key(entry.key.tenant_id, line.sku)] = price
    orders: list[Write] = [OrderWrite(entry.before, entry.after) for entry in entries]
    return orders + [StockWrite(key, delta, prices.get(key)) for key, delta in deltas.items()]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a cancelled transaction said about the orders in it."""

    found: Mapping[Key, Order]
    """Orders that already are something else: they leave the pack."""
    broken: Mapping[Key, str]
    """Orders that touch something no write can mend: they leave the pack, and a human looks."""
    busy: bool
    """Somebody else was faster; wait before trying again."""


def learn(
    entries: Sequence[Entry], attempted: Sequence[Write], verdicts: Sequence[Verdict], known: Knowledge
) -> Lesson:
    """Read the verdicts, per action, into `known` and a lesson. Contention never looks like short stock."""
    answers = list(zip(attempted, verdicts, strict=True))
    found = {
        write.key: verdict.current
        for write, verdict in answers
        if isinstance(verdict, Refused) and isinstance(verdict.current, Order)
    }
    # An order that moved already asks too much of its SKUs: it is no fault of theirs if they refuse.
    excused = {key for entry in entries if entry.key in found for key in effects(entry.before, entry.after)}
    broken: dict[Key, str] = {}
    broken_stock: dict[Key, str] = {}
    taught = False
    for write, verdict in answers:
        fault = _fault(write, verdict)
        if isinstance(write, OrderWrite):
            if fault:
                broken[write.key] = fault
        elif fault and (write.key not in excused or isinstance(verdict, Broken)):
            broken_stock[write.key] = fault
        elif isinstance(verdict, Refused) and not isinstance(verdict.current, Order):
            known.note(write.key, verdict.current)
            taught = True
    for entry in entries:
        if entry.key not in found:
            for key in effects(entry.before, entry.after).keys() & broken_stock.keys():
                broken[entry.key] = broken_stock[key]
    # A cancellation that names no cause is contention too.
    busy = any(isinstance(verdict, Busy) for verdict in verdicts) or not (found or broken or taught)
    return Lesson(found, broken, busy)


def _fault(write: Write, verdict: Verdict) -> str | None:
    """What is wrong with the item itself, so that no other quantity or moment would help."""
    match write, verdict:
        case _, Broken(why=why):
            return why
        case OrderWrite(), Refused(current=None):
            return "the order is gone"
        case StockWrite(delta=delta), Refused() if delta.available >= 0:
            return f"{write.key.id!r} is gone, or its numbers do not allow what its orders need"
        case _:
            return None
