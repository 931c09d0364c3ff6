"""The ledger over any store: batches of orders in as few transactions as they fit.

A refused transaction is a source of knowledge, not an error: see transaction_planner.py for what is learned.
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
    effects,
)
from services.shared.transaction_planner import Entry, Knowledge, Packable

P = TypeVar("P", bound=Packable)
Decide = Callable[[Sequence[P], Knowledge], Sequence[Entry]]


class GroupCommit:
    """A Ledger. `run` maps over chains that may go on at the same time; `map` runs them one by one."""

    def __init__(
        self,
        store: Store,
        *,
        run: Callable[..., Iterable[dict[Key, Outcome]]] = map,
        waits: Waits = jittered(6),  # noqa: B008 - makes a maker of iterators, which holds no state
        max_actions: int = transaction_planner.MAX_ACTIONS,
        prices_kept: int = 100_000,
    ) -> None:
        self._store = store
        self._run = run
        self._waits = waits
        self._max_actions = max_actions
        self._prices_kept = prices_kept
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
        """Prices from memory, and from the store where memory has none; the write makes them exact."""
        known = {key: self._prices[key] for key in keys if key in self._prices}
        if missing := keys - known.keys():
            read = {key: stock.price for key, stock in self._store.read_stock(missing).items()}
            self._remember(read)
            known |= read
        return {key: known.get(key) for key in keys}

    def _remember(self, prices: Mapping[Key, Price | None]) -> None:
        if len(self._prices) + len(prices) > self._prices_kept:
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
        # Every round that is not busy teaches something; the bound is for numbers that move as we look.
        for _ in range(len(pack) + 10):
            entries = decide(pending, known)
            if doubtful := transaction_planner.doubtful(entries, known):
                current = self._store.read_stock(doubtful)
                for key in doubtful:
                    known.note(key, current.get(key))
                continue
            attempted = transaction_planner.writes(entries)
            try:
                verdicts = self._store.transact(attempted)
            except StoreUnavailableError:
                lesson = transaction_planner.Lesson({}, {}, busy=True)
            else:
                if not verdicts:
                    known.note_scarcity(entries)
                    known.forget_levels(
                        key for entry in entries for key in effects(entry.before, entry.after)
                    )
                    return outcomes | {entry.key: Committed(entry.after) for entry in entries}
                lesson = transaction_planner.learn(entries, attempted, verdicts, known)
            outcomes |= {key: Found(order) for key, order in lesson.found.items()}
            outcomes |= {key: Unsettled(why) for key, why in lesson.broken.items()}
            pending = [one for one in pending if one.key not in outcomes]
            if not pending:
                return outcomes
            if lesson.busy and not next(waits, False):
                break
        return outcomes | {one.key: Unsettled("contention") for one in pending}
