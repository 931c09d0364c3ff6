"""The ledger over any store: batches of orders in as few transactions as possible.

A cancelled transaction is information, not an error: transaction_planner.py reads its verdicts.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

from services.shared import transaction_planner
from services.shared.backoff import Waits, jittered
from services.shared.errors import StoreUnavailableError
from services.shared.ledger import (
    Committed,
    Found,
    Key,
    Move,
    Order,
    Outcome,
    Placement,
    Price,
    Store,
    Unsettled,
)
from services.shared.transaction_planner import Entry, Findings, Knowledge, Packable

P = TypeVar("P", bound=Packable)
Decide = Callable[[Sequence[P], Knowledge], Sequence[Entry]]


class GroupCommit:
    """A Ledger. `run` maps over chains and may run them concurrently; `map` runs them one by one."""

    def __init__(
        self,
        store: Store,
        *,
        run: Callable[..., Iterable[dict[Key, Outcome]]] = map,
        waits: Waits = jittered(6),  # noqa: B008 - makes a maker of iterators, which holds no state
        max_actions: int = transaction_planner.MAX_ACTIONS,
        max_prices: int = 100_000,
    ) -> None:
        self._store = store
        self._run = run
        self._waits = waits
        self._max_actions = max_actions
        self._max_prices = max_prices
        self._prices: dict[Key, Price] = {}
        self._scarce: set[Key] = set()

    def reserve(self, placements: Sequence[Placement]) -> Mapping[Key, Outcome]:
        prices = self._known_prices({key for placement in placements for key in placement.stock_keys()})
        return self._commit(placements, transaction_planner.admit, prices)

    def move(self, moves: Sequence[Move]) -> Mapping[Key, Outcome]:
        return self._commit(moves, transaction_planner.entries_of, {})

    def orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        return self._store.read_orders(keys) if keys else {}

    def _known_prices(self, keys: AbstractSet[Key]) -> dict[Key, Price | None]:
        """Return cached prices, reading the missing ones; a condition of the write makes them exact."""
        known = {key: self._prices[key] for key in keys if key in self._prices}
        if missing := keys - known.keys():
            read = {key: stock.price for key, stock in self._store.read_stock(missing).items()}
            self._remember(read)
            known |= read
        return {key: known.get(key) for key in keys}

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
        def commit_chain(chain: list[list[P]]) -> dict[Key, Outcome]:
            skus = {key for pack in chain for one in pack for key in one.stock_keys()}
            known = Knowledge({key: prices[key] for key in skus & prices.keys()}, scarce=self._scarce & skus)
            outcomes: dict[Key, Outcome] = {}
            for pack in chain:
                outcomes |= self._commit_pack(pack, decide, known)
            self._remember(known.prices)
            self._scarce -= skus
            self._scarce |= known.scarce
            return outcomes

        outcomes: dict[Key, Outcome] = {}
        for part in self._run(commit_chain, transaction_planner.plan(work, self._max_actions)):
            outcomes |= part
        return outcomes

    def _commit_pack(self, pack: Sequence[P], decide: Decide[P], known: Knowledge) -> dict[Key, Outcome]:
        outcomes: dict[Key, Outcome] = {}
        pending = list(pack)
        waits = self._waits()
        # Every round that is not busy adds knowledge; the bound is for stock that changes between rounds.
        for _ in range(len(pack) + 10):
            entries = decide(pending, known)
            if to_read := transaction_planner.skus_to_read(entries, known):
                self._read_stock(to_read, known)
                continue
            findings = self._attempt(entries, known)
            if findings is None:
                return outcomes | {entry.key: Committed(entry.after) for entry in entries}
            outcomes |= {key: Found(order) for key, order in findings.found.items()}
            outcomes |= {key: Unsettled(why) for key, why in findings.broken.items()}
            pending = [one for one in pending if one.key not in outcomes]
            if not pending:
                return outcomes
            if findings.busy and not next(waits, False):
                break
        return outcomes | {one.key: Unsettled("contention") for one in pending}

    def _read_stock(self, keys: AbstractSet[Key], known: Knowledge) -> None:
        stock = self._store.read_stock(keys)
        for key in keys:
            known.note(key, stock.get(key))

    def _attempt(self, entries: Sequence[Entry], known: Knowledge) -> Findings | None:
        """Try one transaction; None when it is committed."""
        attempted = transaction_planner.writes(entries)
        try:
            verdicts = self._store.transact(attempted)
        except StoreUnavailableError:
            return Findings({}, {}, busy=True)
        if verdicts:
            return transaction_planner.learn(entries, attempted, verdicts, known)
        known.note_commit(entries)
        return None
