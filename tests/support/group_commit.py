"""Stores that answer as a busy, forgetful or restocked table does, and a group commit over one of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.group_commit import GroupCommit
from services.shared.ledger import (
    Busy,
    Committed,
    Key,
    Move,
    Order,
    Outcome,
    Passed,
    Payment,
    Status,
    Stock,
    Verdict,
    Write,
)
from tests.support.builders import a_key, no_waiting
from tests.support.fakes import START, MemoryStore

V = TypeVar("V")
CONFLICT: Sequence[Verdict] = [Busy(), Passed()]
ORDER_1, ORDER_2, ORDER_3 = a_key("order-1"), a_key("order-2"), a_key("order-3")
SKU = a_key("prod-001")


class ForgetfulStore(MemoryStore):
    """A MemoryStore that applies what it is asked, and then loses its first answer."""

    def __init__(self, stocks: Iterable[Stock] = ()) -> None:
        super().__init__(stocks)
        self._forgets = True

    def forget_next(self) -> None:
        self._forgets = True

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        verdicts = super().transact(writes)
        if self._forgets:
            self._forgets = False
            raise StoreUnavailableError("the answer was lost")
        return verdicts


class RestockingStore(MemoryStore):
    """A MemoryStore that is restocked after its first commit."""

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        filled = bool(self.orders)
        verdicts = super().transact(writes)
        if self.orders and not filled:
            self.stock = {
                key: replace(stock, available=stock.available + 9) for key, stock in self.stock.items()
            }
        return verdicts


class BusyStore(MemoryStore):
    """A MemoryStore in which some items are always busy: it says so, says nothing, or fails to be read."""

    def __init__(self, stocks: Iterable[Stock], busy: Collection[str], *, explains: bool = True) -> None:
        super().__init__(stocks)
        self.busy = busy
        self.unread: Collection[str] = ()
        self._explains = explains

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        verdicts: list[Verdict] = [Busy() if write.key.id in self.busy else Passed() for write in writes]
        if not any(isinstance(verdict, Busy) for verdict in verdicts):
            return super().transact(writes)
        self.transactions.append(writes)
        if not self._explains:
            raise StoreUnavailableError("throttled")
        return verdicts

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        return self._part(super().read_stock(keys), keys)

    def read_orders(self, keys: Collection[Key]) -> Mapping[Key, Order]:
        return self._part(super().read_orders(keys), keys)

    def _part(self, values: Mapping[Key, V], keys: Collection[Key]) -> Mapping[Key, V]:
        if unread := {key for key in keys if key.id in self.unread}:
            read = {key: value for key, value in values.items() if key not in unread}
            raise IncompleteReadError("throttled", read, unread)
        return values


class CountingStore(MemoryStore):
    """A MemoryStore that remembers which SKUs were read, and how often a transaction was tried."""

    def __init__(self, stocks: Iterable[Stock] = ()) -> None:
        super().__init__(stocks)
        self.reads: list[set[str]] = []
        self.attempts = 0

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        self.attempts += 1
        return super().transact(writes)

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        self.reads.append({key.id for key in keys})
        return super().read_stock(keys)


def ledger(store: MemoryStore, *, max_actions: int = 100, attempts: int = 6) -> GroupCommit:
    return GroupCommit(store, waits=no_waiting(attempts), max_actions=max_actions)


def confirm(order: Order) -> Move:
    return Move(order, order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1")))


def statuses(outcomes: Iterable[Outcome]) -> list[str]:
    return [outcome.order.status.value if isinstance(outcome, Committed) else "-" for outcome in outcomes]


def levels(store: MemoryStore, sku: str = "prod-001") -> tuple[int, int, int]:
    stock = store.stock[a_key(sku)]
    return stock.stock, stock.reserved, stock.available
