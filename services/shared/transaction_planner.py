"""Group commit without a database: which orders share a transaction, what to write, how to read verdicts.

Pure. A round is: `admit` decides from what is known, `writes` makes the transaction, the store applies or
cancels it, `learn` turns the verdicts into knowledge for the next round.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from services.shared.events import rfc3339
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
MIXED_ACTIONS = 10
"""Most actions of a transaction that orders without a common SKU share. Sharing saves calls, not write units,
and the more SKUs a transaction holds, the more other workers' transactions it conflicts with."""


class Packable(Protocol):
    @property
    def key(self) -> Key: ...

    def stock_keys(self) -> list[Key]: ...


P = TypeVar("P", bound=Packable)
Pack = list[P]


def plan(
    work: Sequence[P], max_actions: int = MAX_ACTIONS, mixed_actions: int = MIXED_ACTIONS
) -> list[list[Pack[P]]]:
    """Arrange work into chains of packs, in arrival order within each chain.

    Orders that share a SKU, directly or through others, go into the same chain, whose packs are committed
    one after the other: orders are served in arrival order, and our transactions do not conflict on an item.
    Chains share no SKU and may run concurrently. Small chains share a small pack, to save calls.
    """
    chains: list[list[Pack[P]]] = []
    open_packs: list[tuple[Pack[P], int]] = []
    most = min(max_actions, mixed_actions)
    for group in _connected(work):
        packs = list(_cut(group, max_actions))
        pack, actions = packs[0]
        if len(packs) > 1 or actions > most:
            chains.append([pack for pack, _ in packs])
            continue
        for index, (other, taken) in enumerate(open_packs):
            if taken + actions <= most:
                other.extend(pack)
                open_packs[index] = (other, taken + actions)
                break
        else:
            open_packs.append((pack, actions))
            chains.append([pack])
    return chains


def split(pack: Pack[P]) -> list[Pack[P]]:
    """Take apart a pack whose transaction failed without saying which item was the cause.

    Orders without a common SKU part; related ones are halved in arrival order, unless all share one SKU:
    then every part would meet the same item.
    """
    groups = list(_connected(pack))
    if len(groups) > 1:
        return groups
    common = set(pack[0].stock_keys()).intersection(*(one.stock_keys() for one in pack))
    if len(pack) == 1 or common:
        return [pack]
    middle = len(pack) // 2
    return [pack[:middle], pack[middle:]]


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
    """What is known of the SKUs of a chain. A SKU known to be missing has the price None."""

    prices: dict[Key, Price | None] = field(default_factory=dict)
    available: dict[Key, int] = field(default_factory=dict)
    fresh: set[Key] = field(default_factory=set)
    """The SKUs whose price was read in this run; the other prices are cached, and may be old."""
    scarce: set[Key] = field(default_factory=set)
    """The SKUs that were short the last time; they may have been restocked since."""

    def note(self, key: Key, current: Stock | None) -> None:
        self.fresh.add(key)
        self.prices[key] = current.price if current else None
        if current:
            self.available[key] = current.available

    def note_commit(self, committed: Iterable["Entry"]) -> None:
        """Drop the levels that a commit changed; note which SKUs ran short, and which do so no longer."""
        for entry in committed:
            for key in effects(entry.before, entry.after):
                self.available.pop(key, None)
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
    """Decide each placement in arrival order, as far as the known stock reaches.

    A SKU whose level is unknown counts as sufficient: the condition of the write checks it.
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
    amount = sum(line.quantity * line.unit_price_minor for line in lines)
    if placement.expected_amount_minor not in (None, amount):
        return _rejected(placement, "price_changed", [line.sku for line in lines])
    return Order(
        key=placement.key,
        status=Status.RESERVED,
        customer_id=placement.customer_id,
        lines=tuple(lines),
        amount_minor=amount,
        currency=next(iter(currencies)),
        payment_method=placement.payment_method,
        placed_at=placement.placed_at,
        expires_at=placement.expires_at,
        cancellable_until=placement.cancellable_until,
        history=(Transition(Status.RESERVED, placement.at, placement.event_id),),
    )


def _rejected(placement: Placement, reason: str, blamed: Sequence[str]) -> Order:
    """Reject without prices: nothing is reserved."""
    return Order(
        key=placement.key,
        status=Status.REJECTED,
        customer_id=placement.customer_id,
        lines=tuple(Line(sku, quantity) for sku, quantity in placement.quantities),
        payment_method=placement.payment_method,
        placed_at=placement.placed_at,
        reason=reason,
        blamed=tuple(blamed),
        history=(Transition(Status.REJECTED, placement.at, placement.event_id),),
    )


def skus_to_read(entries: Sequence[Entry], known: Knowledge) -> set[Key]:
    """Name the SKUs to read before the transaction is tried.

    A reservation makes its prices exact by a condition on its writes. A rejection writes no SKU, and must not
    rely on a cached price. For a SKU that was short the last time, a read costs less than a cancellation.
    """
    keys: set[Key] = set()
    for entry in entries:
        skus = {Key(entry.key.tenant_id, line.sku) for line in entry.after.lines}
        if entry.after.reason in ("currency_mismatch", "price_changed"):
            keys |= skus - known.fresh
        elif entry.before is None and entry.after.status is Status.RESERVED:
            keys |= (skus & known.scarce) - known.available.keys()
    return keys


def entries_of(moves: Sequence[Move], _known: Knowledge) -> list[Entry]:
    """Moves are decided already, by the caller that read the orders."""
    return [Entry(move.before, move.after) for move in moves]


def writes(entries: Sequence[Entry]) -> list[Write]:
    """Make the transaction: one write per order, and one per SKU with the quantities of all orders summed."""
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
class Busyness:
    """What contention or throttling stands in the way of: it waits, everything else goes on."""

    orders: AbstractSet[Key] = frozenset()
    """The orders that touch a busy item, or are one."""
    skus: AbstractSet[Key] = frozenset()
    explained: bool = True
    """False when no item was named: any of them may be the cause."""

    @classmethod
    def unexplained(cls, entries: Sequence[Entry]) -> "Busyness":
        skus = {key for entry in entries for key in effects(entry.before, entry.after)}
        return cls({entry.key for entry in entries}, skus, explained=False)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a cancelled transaction revealed about the orders in it."""

    found: Mapping[Key, Order]
    """Orders that already are in another state: they leave the pack."""
    broken: Mapping[Key, str]
    """Orders that touch an item that no write can change: they leave the pack, and need an operator."""
    busy: Busyness = Busyness()


def learn(
    entries: Sequence[Entry], attempted: Sequence[Write], verdicts: Sequence[Verdict], known: Knowledge
) -> Findings:
    """Read the verdicts into `known` and findings. Contention never looks like short stock."""
    results = list(zip(attempted, verdicts, strict=True))
    found = {
        write.key: verdict.current
        for write, verdict in results
        if isinstance(verdict, Refused) and isinstance(verdict.current, Order)
    }
    unknown = {
        write.key for write, verdict in results if isinstance(write, OrderWrite) and isinstance(verdict, Busy)
    }
    broken_stock = _broken_stock(results, _skus(entries, found.keys() | unknown))
    broken = _broken_orders(entries, results, found, broken_stock)
    levels = {
        write.key: verdict.current
        for write, verdict in results
        if isinstance(write, StockWrite)
        and isinstance(verdict, Refused)
        and not isinstance(verdict.current, Order)
        and write.key not in broken_stock
    }
    for key, stock in levels.items():
        known.note(key, stock)
    if found or broken or levels or any(isinstance(verdict, Busy) for verdict in verdicts):
        return Findings(found, broken, _busyness(entries, results))
    # A cancellation that names no cause is contention too.
    return Findings(found, broken, Busyness.unexplained(entries))


def written(attempted: Order, current: Order) -> Order | None:
    """Return the order as an attempt whose answer was lost has written it; None if it has not.

    Several attempts of one invocation may have decided differently; event and time are the same.
    """
    if current.version < attempted.version:
        return None
    step, expected = current.history[attempted.version - 1], attempted.history[-1]
    if (step.event_id, rfc3339(step.at)) != (expected.event_id, rfc3339(expected.at)):
        return None
    if current.version == attempted.version:
        return current
    # Somebody moved the order on meanwhile.
    return attempted if (step.status, current.lines) == (expected.status, attempted.lines) else None


def _busyness(entries: Sequence[Entry], results: Sequence[tuple[Write, Verdict]]) -> Busyness:
    skus = {
        write.key for write, verdict in results if isinstance(write, StockWrite) and isinstance(verdict, Busy)
    }
    orders = {
        write.key for write, verdict in results if isinstance(write, OrderWrite) and isinstance(verdict, Busy)
    }
    for entry in entries:
        if skus and not skus.isdisjoint(effects(entry.before, entry.after)):
            orders.add(entry.key)
    return Busyness(orders, skus)


def _skus(entries: Sequence[Entry], orders: Container[Key]) -> set[Key]:
    """Name the SKUs that some of the orders would have changed."""
    return {key for entry in entries if entry.key in orders for key in effects(entry.before, entry.after)}


def _broken_stock(results: Sequence[tuple[Write, Verdict]], of_others: Container[Key]) -> dict[Key, str]:
    """Name the SKUs that cannot be changed, and why.

    A SKU may refuse only because an order asks too much of it that has moved already: that is no fault. So
    nothing is said of the SKUs of orders that have, or of which it is not known.
    """
    return {
        write.key: fault
        for write, verdict in results
        if isinstance(write, StockWrite)
        and (fault := _fault(write, verdict))
        and (write.key not in of_others or isinstance(verdict, Broken))
    }


def _broken_orders(
    entries: Sequence[Entry],
    results: Sequence[tuple[Write, Verdict]],
    found: Container[Key],
    broken_stock: Mapping[Key, str],
) -> dict[Key, str]:
    """Name the orders that are broken themselves or touch a broken SKU, and why."""
    broken = {
        write.key: fault
        for write, verdict in results
        if isinstance(write, OrderWrite) and (fault := _fault(write, verdict))
    }
    for entry in entries:
        if entry.key not in found:
            for key in effects(entry.before, entry.after).keys() & broken_stock.keys():
                broken[entry.key] = broken_stock[key]
    return broken


def _fault(write: Write, verdict: Verdict) -> str | None:
    """Describe a fault of the item itself, which no other quantity or time would avoid."""
    match write, verdict:
        case _, Broken(why=why):
            return why
        case OrderWrite(), Refused(current=None):
            return "the order does not exist any more"
        case StockWrite(delta=delta), Refused() if delta.available >= 0:
            return f"SKU {write.key.id!r} does not exist, or its stock is less than its orders have reserved"
        case _:
            return None
