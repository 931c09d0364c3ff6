"""The ledger over any store: batches of orders in few transactions, none of which waits for another's items.

A cancelled transaction is information, not an error: transaction_planner.py reads its verdicts.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.shared import transaction_planner
from services.shared.backoff import Waits, jittered
from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.ledger import (
    Committed,
    Found,
    Key,
    Move,
    Order,
    Outcome,
    Placement,
    Price,
    Stock,
    Store,
    Unsettled,
)
from services.shared.transaction_planner import Busyness, Entry, Findings, Knowledge, Packable

P = TypeVar("P", bound=Packable)
Decide = Callable[[Sequence[P], Knowledge], Sequence[Entry]]
_CONTENTION = Unsettled("contention")


class GroupCommit:
    """A Ledger. `run` maps over chains and may run them concurrently; `map` runs them one by one."""

    def __init__(  # noqa: PLR0913 - its limits
        self,
        store: Store,
        *,
        run: Callable[..., Iterable[dict[Key, Outcome]]] = map,
        waits: Waits = jittered(6),  # noqa: B008 - makes a maker of iterators, which holds no state
        max_actions: int = transaction_planner.MAX_ACTIONS,
        mixed_actions: int = transaction_planner.MIXED_ACTIONS,
        max_prices: int = 100_000,
    ) -> None:
        self._store = store
        self._run = run
        self._waits = waits
        self._limits = (max_actions, mixed_actions)
        self._max_prices = max_prices
        self._prices: dict[Key, Price] = {}
        self._unanswered: dict[Key, Order] = {}
        self._scarce: set[Key] = set()

    def reserve(self, placements: Sequence[Placement]) -> Mapping[Key, Outcome]:
        prices, unread = self._known_prices({key for one in placements for key in one.stock_keys()})
        ready = [one for one in placements if unread.isdisjoint(one.stock_keys())]
        outcomes = self._commit(ready, transaction_planner.admit, prices)
        return outcomes | {one.key: _CONTENTION for one in placements if one.key not in outcomes}

    def move(self, moves: Sequence[Move]) -> Mapping[Key, Outcome]:
        return self._commit(moves, transaction_planner.entries_of, {})

    def orders(self, keys: Collection[Key]) -> Mapping[Key, Order | Unsettled]:
        if not keys:
            return {}
        try:
            return self._store.read_orders(keys)
        except IncompleteReadError as error:
            return {**error.values, **{key: Unsettled(str(error)) for key in error.unread}}

    def _known_prices(self, keys: AbstractSet[Key]) -> tuple[dict[Key, Price | None], AbstractSet[Key]]:
        """Return prices, cached or read, and the SKUs that could not be read; the write makes them exact."""
        known = {key: self._prices[key] for key in keys if key in self._prices}
        missing = keys - known.keys()
        stock, unread = self._read_stock(missing) if missing else ({}, frozenset())
        read = {key: one.price for key, one in stock.items()}
        self._remember(read)
        known |= read
        return {key: known.get(key) for key in keys - unread}, unread

    def _read_stock(self, keys: AbstractSet[Key]) -> tuple[Mapping[Key, Stock], AbstractSet[Key]]:
        try:
            return self._store.read_stock(keys), frozenset()
        except IncompleteReadError as error:
            return error.values, error.unread

    def _remember(self, prices: Mapping[Key, Price | None]) -> None:
        if len(self._prices) + len(prices) > self._max_prices:
            self._prices.clear()
            self._scarce.clear()
        for key, price in prices.items():
            if price is None:
                self._prices.pop(key, None)
            else:
                self._prices[key] = price

    def _commit(
        self, work: Sequence[P], decide: Decide[P], prices: Mapping[Key, Price | None]
    ) -> dict[Key, Outcome]:
        """Try every chain, wait, and try what was busy again; nothing waits for a busy item of others."""
        chains = [
            self._chain(packs, decide, prices) for packs in transaction_planner.plan(work, *self._limits)
        ]
        outcomes: dict[Key, Outcome] = {}
        waits = self._waits()
        open_chains = chains
        while open_chains:
            for part in self._run(self._commit_chain, open_chains):
                outcomes |= part
            open_chains = [chain for chain in open_chains if chain.packs]
            if open_chains and not next(waits, False):
                break
        for chain in chains:
            self._remember(chain.known.prices)
            self._scarce -= chain.skus
            self._scarce |= chain.known.scarce
        return outcomes | {
            one.key: _CONTENTION for chain in open_chains for pack in chain.packs for one in pack
        }

    def _chain(
        self, packs: list[list[P]], decide: Decide[P], prices: Mapping[Key, Price | None]
    ) -> "_Chain[P]":
        skus = {key for pack in packs for one in pack for key in one.stock_keys()}
        known = Knowledge({key: prices[key] for key in skus & prices.keys()}, scarce=self._scarce & skus)
        return _Chain(packs, decide, skus, known)

    def _commit_chain(self, chain: "_Chain[P]") -> dict[Key, Outcome]:
        """Commit what can be committed without waiting; the rest stays in the chain."""
        outcomes: dict[Key, Outcome] = {}
        packs, chain.packs = chain.packs, []
        busy: set[Key] = set()
        for pack in packs:
            # What touches an item known to be busy is not tried: later orders would overtake earlier ones.
            blocked = [one for one in pack if not busy.isdisjoint(one.stock_keys())]
            ready = [one for one in pack if busy.isdisjoint(one.stock_keys())]
            if blocked:
                chain.packs.append(blocked)
            outcomes |= self._commit_pack(ready, chain, busy)
        return outcomes

    def _commit_pack(self, pack: Sequence[P], chain: "_Chain[P]", busy: set[Key]) -> dict[Key, Outcome]:
        """Commit a pack as far as nothing busy stands in the way; `busy` learns the SKUs that are."""
        outcomes: dict[Key, Outcome] = {}
        pending = list(pack)
        # Every round adds knowledge or leaves something out; the bound is for stock that changes meanwhile.
        for _ in range(len(pack) + 10):
            if not pending:
                return outcomes
            entries = chain.decide(pending, chain.known)
            if to_read := transaction_planner.skus_to_read(entries, chain.known):
                unread = self._note_stock(to_read, chain.known)
                waiting = Busyness({one.key for one in pending if unread & set(one.stock_keys())}, unread)
            else:
                findings = self._attempt(entries, chain.known)
                if findings is None:
                    for entry in entries:
                        self._unanswered.pop(entry.key, None)
                    return outcomes | {entry.key: Committed(entry.after) for entry in entries}
                outcomes |= {
                    entry.key: self._already(findings.found[entry.key], entry)
                    for entry in entries
                    if entry.key in findings.found
                }
                outcomes |= {key: Unsettled(why, broken=True) for key, why in findings.broken.items()}
                waiting = findings.busy
            busy |= waiting.skus
            left = [one for one in pending if one.key not in outcomes]
            held = [one for one in left if one.key in waiting.orders]
            if held:
                chain.packs += [held] if waiting.explained else transaction_planner.split(held)
            pending = [one for one in left if one.key not in waiting.orders]
        chain.packs.append(pending)
        return outcomes

    def _note_stock(self, keys: AbstractSet[Key], known: Knowledge) -> AbstractSet[Key]:
        """Read SKUs; returns those that could not be read."""
        stock, unread = self._read_stock(keys)
        for key in keys - unread:
            known.note(key, stock.get(key))
        return unread

    def _attempt(self, entries: Sequence[Entry], known: Knowledge) -> Findings | None:
        """Try one transaction; None when it is committed."""
        attempted = transaction_planner.writes(entries)
        try:
            verdicts = self._store.transact(attempted)
        except StoreUnavailableError:
            if len(self._unanswered) > self._max_prices:
                self._unanswered.clear()
            self._unanswered |= {entry.key: entry.after for entry in entries}
            return Findings({}, {}, Busyness.unexplained(entries))
        if verdicts:
            return transaction_planner.learn(entries, attempted, verdicts, known)
        known.note_commit(entries)
        return None

    def _already(self, order: Order, entry: Entry) -> Outcome:
        """Tell an order that an unanswered attempt of the same event wrote from one that was there before."""
        attempted = self._unanswered.get(order.key)
        if attempted is None or attempted.history[-1].event_id != entry.after.history[-1].event_id:
            return Found(order)
        del self._unanswered[order.key]
        written = transaction_planner.written(attempted, order)
        return Committed(written) if written else Found(order)


@dataclass(slots=True)
class _Chain(Generic[P]):
    """Packs that share SKUs, what is known of these, and how to decide the orders."""

    packs: list[list[P]]
    decide: Decide[P]
    skus: AbstractSet[Key]
    known: Knowledge
