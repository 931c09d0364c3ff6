"""Group commit over a store that can be told how to answer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from services.shared.errors import IncompleteReadError, StoreUnavailableError
from services.shared.group_commit import GroupCommit
from services.shared.ledger import (
    Busy,
    Committed,
    Delta,
    Found,
    Key,
    Move,
    Order,
    Outcome,
    Passed,
    Payment,
    Price,
    Status,
    Stock,
    StockWrite,
    Transition,
    Unsettled,
    Verdict,
    Write,
)
from tests.support.builders import a_key, no_waiting, placement, reserved
from tests.support.fakes import START, MemoryStore, ScriptedStore, a_stock

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
    """A MemoryStore whose shelves are filled up after its first commit."""

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


# --- contention ---------------------------------------------------------------------------------------


def test_a_conflict_is_tried_again_until_it_passes() -> None:
    store = ScriptedStore([a_stock()], [CONFLICT, CONFLICT])

    outcomes = ledger(store).reserve([placement("order-1")])

    assert statuses(outcomes.values()) == ["RESERVED"]
    assert len(store.transactions) == 3
    assert levels(store) == (10, 1, 9)


def test_conflicts_without_end_leave_the_order_unsettled_and_never_rejected() -> None:
    store = ScriptedStore([a_stock()], [CONFLICT] * 100)

    outcomes = ledger(store, attempts=3).reserve([placement("order-1")])

    assert outcomes == {ORDER_1: Unsettled("contention")}
    assert len(store.transactions) == 4
    assert store.orders == {}


def test_a_store_that_never_answers_leaves_the_order_unsettled() -> None:
    store = ScriptedStore([a_stock()], [StoreUnavailableError("down")] * 100)

    outcomes = ledger(store, attempts=3).reserve([placement("order-1")])

    assert outcomes == {ORDER_1: Unsettled("contention")}
    assert len(store.transactions) == 4


def test_orders_that_touch_nothing_busy_are_committed_at_once() -> None:
    store = BusyStore([a_stock(sku) for sku in "abcdefghi"], busy="a")
    placements = [placement(f"order-{sku}", {sku: 1}) for sku in "abcdefghi"]

    outcomes = ledger(store, attempts=0).reserve(placements)

    assert {key.id for key, outcome in outcomes.items() if isinstance(outcome, Unsettled)} == {"order-a"}
    assert sorted(key.id for key in store.orders) == [f"order-{sku}" for sku in "bcdefghi"]


def test_related_orders_that_touch_nothing_busy_are_committed_at_once() -> None:
    store = BusyStore([a_stock("a"), a_stock("b")], busy="a")

    outcomes = ledger(store, attempts=0).reserve(
        [placement("order-1", {"a": 1, "b": 1}), placement("order-2", {"b": 1})]
    )

    assert outcomes[ORDER_1] == Unsettled("contention")
    assert isinstance(outcomes[ORDER_2], Committed)


def test_orders_behind_a_busy_sku_wait_for_it_in_arrival_order() -> None:
    store = BusyStore([a_stock("a", stock=2)], busy="a")
    placements = [placement(f"order-{n}", {"a": 1}) for n in range(4)]

    outcomes = ledger(store, attempts=0, max_actions=2).reserve(placements)

    assert set(outcomes.values()) == {Unsettled("contention")}
    assert len(store.transactions) == 1


def test_a_throttle_that_names_no_item_holds_up_only_what_touches_the_cause() -> None:
    store = BusyStore([a_stock(sku) for sku in "abcdefghi"], busy="a", explains=False)
    placements = [placement(f"order-{sku}", {sku: 1}) for sku in "abcdefghi"]

    outcomes = ledger(store, attempts=2).reserve(placements)

    assert {key.id for key, outcome in outcomes.items() if isinstance(outcome, Unsettled)} == {"order-a"}


def test_a_throttled_settlement_holds_up_no_other() -> None:
    store = BusyStore([Stock(a_key(sku), 9, 1, 8, Price(1_000, "USD")) for sku in "abc"], busy="b")
    orders = [reserved(f"order-{sku}", {sku: 1}) for sku in "abc"]
    store.orders = {order.key: order for order in orders}

    outcomes = ledger(store, attempts=0).move([confirm(order) for order in orders])

    assert statuses(outcomes[order.key] for order in orders) == ["CONFIRMED", "-", "CONFIRMED"]


def test_a_price_that_cannot_be_read_concerns_only_its_own_orders() -> None:
    store = BusyStore([a_stock("a"), a_stock("b")], busy=())
    store.unread = "a"

    outcomes = ledger(store).reserve([placement("order-1", {"a": 1}), placement("order-2", {"b": 1})])

    assert outcomes[ORDER_1] == Unsettled("contention")
    assert isinstance(outcomes[ORDER_2], Committed)


def test_a_scarce_sku_that_cannot_be_read_concerns_only_its_own_orders() -> None:
    store = BusyStore([a_stock("a", stock=1), a_stock("b")], busy=())
    commit = ledger(store, attempts=0)
    commit.reserve([placement("first", {"a": 2}), placement("second", {"b": 1})])
    store.unread = "a"

    outcomes = commit.reserve(
        [
            placement("order-1", {"a": 1, "b": 1}),
            placement("order-2", {"b": 1}),
            placement("order-3", {"b": 1}),
        ]
    )

    assert outcomes[ORDER_1] == Unsettled("contention")
    assert {type(outcomes[key]) for key in (ORDER_2, ORDER_3)} == {Committed}


def test_an_order_that_cannot_be_read_leaves_the_others_readable() -> None:
    store = BusyStore([], busy=())
    order = reserved("order-1")
    store.orders = {order.key: order}
    store.unread = ("order-2",)

    read = ledger(store).orders([ORDER_1, ORDER_2, ORDER_3])

    assert read == {ORDER_1: order, ORDER_2: Unsettled("throttled")}


def test_a_reservation_whose_answer_was_lost_is_known_to_be_made_by_it() -> None:
    store = ForgetfulStore([a_stock(stock=2)])

    outcomes = ledger(store).reserve([placement("order-1"), placement("order-2")])

    assert outcomes == {key: Committed(store.orders[key]) for key in (ORDER_1, ORDER_2)}
    assert levels(store) == (2, 2, 0)


def test_an_attempt_whose_answer_was_lost_is_known_whatever_later_attempts_decided() -> None:
    store = ForgetfulStore([a_stock(stock=1)])
    commit = ledger(store, attempts=0)
    commit.reserve([placement("order-1")])
    store.forget_next()
    commit.reserve([placement("order-1", {"unknown": 1})])

    outcome = commit.reserve([placement("order-1")])

    assert outcome == {ORDER_1: Committed(store.orders[ORDER_1])}


def test_a_reservation_whose_answer_was_lost_is_known_though_the_order_has_moved_on() -> None:
    store = ForgetfulStore([a_stock(stock=1)])
    commit = ledger(store, attempts=0)
    commit.reserve([placement("order-1")])
    made = store.orders[ORDER_1]
    store.orders[ORDER_1] = made.moved(Status.CANCELLED, START, "called off", reason="customer_request")

    assert commit.reserve([placement("order-1")]) == {ORDER_1: Committed(made)}


def test_an_order_written_by_somebody_else_is_not_taken_for_an_unanswered_attempt() -> None:
    store = ScriptedStore([a_stock()], [StoreUnavailableError("lost")])
    other = replace(reserved("order-1"), history=(Transition(Status.RESERVED, START, "another event"),))
    store.orders = {ORDER_1: other}

    assert ledger(store).reserve([placement("order-1")]) == {ORDER_1: Found(other)}


def test_an_unanswered_attempt_is_not_taken_for_that_of_another_event() -> None:
    store = ForgetfulStore([a_stock()])
    commit = ledger(store, attempts=0)
    commit.reserve([placement("order-1")])

    other = commit.reserve([replace(placement("order-1"), event_id="another event")])

    assert other == {ORDER_1: Found(store.orders[ORDER_1])}
    assert commit.reserve([placement("order-1")]) == {ORDER_1: Committed(store.orders[ORDER_1])}


def test_an_attempt_that_succeeded_later_is_no_longer_unanswered() -> None:
    store = ScriptedStore([a_stock()], [StoreUnavailableError("lost")])
    commit = ledger(store)

    first = commit.reserve([placement("order-1")])

    assert first == {ORDER_1: Committed(store.orders[ORDER_1])}
    assert commit.reserve([placement("order-1")]) == {ORDER_1: Found(store.orders[ORDER_1])}


def test_an_unanswered_attempt_is_remembered_until_its_order_comes_again() -> None:
    store = ForgetfulStore([a_stock()])
    commit = ledger(store, attempts=0)

    first = commit.reserve([placement("order-1")])
    second = commit.reserve([placement("order-1")])
    third = commit.reserve([placement("order-1")])

    assert first == {ORDER_1: Unsettled("contention")}
    assert second == {ORDER_1: Committed(store.orders[ORDER_1])}
    assert third == {ORDER_1: Found(store.orders[ORDER_1])}


def test_a_settlement_whose_answer_was_lost_is_known_to_be_made_by_it() -> None:
    store = ForgetfulStore([Stock(SKU, 10, 1, 9, Price(1_000, "USD"))])
    order = reserved("order-1")
    store.orders[order.key] = order

    outcomes = ledger(store).move([confirm(order)])

    assert outcomes == {ORDER_1: Committed(confirm(order).after)}
    assert levels(store) == (9, 0, 9)


def test_an_order_settled_by_somebody_else_does_not_hold_up_the_others_of_its_pack() -> None:
    store = MemoryStore([Stock(SKU, 9, 1, 8, Price(1_000, "USD"))])
    settled, waiting = reserved("order-1"), reserved("order-2")
    store.orders = {settled.key: confirm(settled).after, waiting.key: waiting}

    outcomes = ledger(store).move([confirm(settled), confirm(waiting)])

    assert outcomes == {ORDER_1: Found(confirm(settled).after), ORDER_2: Committed(confirm(waiting).after)}
    assert levels(store) == (8, 0, 8)


def test_a_settlement_the_stock_cannot_bear_is_left_for_a_human() -> None:
    store = MemoryStore([Stock(SKU, 10, 0, 10, Price(1_000, "USD")), a_stock("b")])
    broken, sound = reserved("order-1"), reserved("order-2", {"b": 1})
    store.stock[a_key("b")] = Stock(a_key("b"), 10, 1, 9, Price(1_000, "USD"))
    store.orders = {broken.key: broken, sound.key: sound}

    outcomes = ledger(store).move([confirm(broken), confirm(sound)])

    assert isinstance(outcomes[ORDER_1], Unsettled)
    assert outcomes[ORDER_2] == Committed(confirm(sound).after)
    assert store.orders[ORDER_1] == broken


# --- stock --------------------------------------------------------------------------------------------


def test_a_pack_costs_one_inventory_write_per_sku() -> None:
    store = MemoryStore([a_stock(stock=1_000)])

    ledger(store).reserve([placement(f"order-{n}", {"prod-001": 2}) for n in range(99)])

    (transaction,) = store.transactions
    stock_writes = [write for write in transaction if isinstance(write, StockWrite)]
    assert stock_writes == [StockWrite(SKU, Delta(reserved=198, available=-198), Price(1_000, "USD"))]


def test_a_sku_that_sells_out_admits_as_far_as_it_reaches() -> None:
    store = MemoryStore([a_stock(stock=3)])

    outcomes = ledger(store).reserve([placement(f"order-{n}") for n in range(5)])

    assert statuses(outcomes[a_key(f"order-{n}")] for n in range(5)) == ["RESERVED"] * 3 + ["REJECTED"] * 2
    assert levels(store) == (3, 3, 0)


def test_learning_uses_up_no_patience() -> None:
    store = MemoryStore([a_stock(stock=1)])

    outcomes = ledger(store, attempts=0).reserve([placement("order-1"), placement("order-2")])

    assert statuses([outcomes[ORDER_1], outcomes[ORDER_2]]) == ["RESERVED", "REJECTED"]


def test_a_level_seen_before_a_pack_decides_nothing_after_it() -> None:
    store = RestockingStore([a_stock(stock=3)])

    outcomes = ledger(store, max_actions=3).reserve(
        [
            placement("order-1", {"prod-001": 2}),
            placement("order-2", {"prod-001": 2}),
            placement("order-3", {"prod-001": 4}),
        ]
    )

    assert statuses([outcomes[ORDER_1], outcomes[ORDER_2], outcomes[ORDER_3]]) == [
        "RESERVED",
        "REJECTED",
        "RESERVED",
    ]


def test_a_sku_that_sells_out_across_packs_admits_as_far_as_it_reaches() -> None:
    store = MemoryStore([a_stock(stock=5)])

    outcomes = ledger(store, max_actions=4).reserve([placement(f"order-{n}") for n in range(8)])

    assert statuses(outcomes[a_key(f"order-{n}")] for n in range(8)) == ["RESERVED"] * 5 + ["REJECTED"] * 3
    assert levels(store) == (5, 5, 0)


def test_a_duplicate_in_the_pack_leaves_its_stock_to_the_next() -> None:
    store = MemoryStore([a_stock(stock=2)])
    commit = ledger(store)
    commit.reserve([placement("order-1")])

    outcomes = commit.reserve([placement("order-1"), placement("order-2"), placement("order-3")])

    assert outcomes[ORDER_1] == Found(store.orders[ORDER_1])
    assert statuses([outcomes[ORDER_2], outcomes[ORDER_3]]) == ["RESERVED", "REJECTED"]
    assert levels(store) == (2, 2, 0)


def test_stock_put_on_the_shelf_between_batches_is_seen() -> None:
    store = MemoryStore([a_stock(stock=0)])
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    store.stock[SKU] = a_stock(stock=1)

    outcomes = commit.reserve([placement("order-2")])

    assert statuses(outcomes.values()) == ["RESERVED"]


def test_an_unknown_sku_rejects_only_the_orders_that_name_it() -> None:
    store = MemoryStore([a_stock()])

    outcomes = ledger(store).reserve([placement("order-1", {"nothing": 1}), placement("order-2")])

    assert statuses([outcomes[ORDER_1], outcomes[ORDER_2]]) == ["REJECTED", "RESERVED"]
    assert store.orders[ORDER_1].reason == "unknown_sku"


# --- what ran short -----------------------------------------------------------------------------------


def test_of_what_is_sold_out_the_next_batch_looks_first_and_is_not_refused() -> None:
    store = CountingStore([a_stock(stock=1)])
    commit = ledger(store)
    commit.reserve([placement("order-1"), placement("order-2")])
    attempts, reads = store.attempts, len(store.reads)

    outcomes = commit.reserve([placement("order-3"), placement("order-4")])

    assert statuses(outcomes.values()) == ["REJECTED", "REJECTED"]
    assert store.attempts == attempts + 1
    assert store.reads[reads:] == [{"prod-001"}]


def test_what_is_on_the_shelf_again_is_sold_again_and_no_longer_looked_at() -> None:
    store = CountingStore([a_stock(stock=0)])
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    store.stock[SKU] = replace(store.stock[SKU], stock=5, available=5)
    commit.reserve([placement("order-2")])
    reads = len(store.reads)

    outcomes = commit.reserve([placement("order-3")])

    assert store.orders[ORDER_2].status is Status.RESERVED
    assert statuses(outcomes.values()) == ["RESERVED"]
    assert store.reads[reads:] == []


def test_what_other_orders_want_is_not_looked_at() -> None:
    store = CountingStore([a_stock(stock=0), a_stock("prod-002")])
    commit = ledger(store)
    commit.reserve([placement("order-1"), placement("order-2", {"prod-002": 1})])
    reads = len(store.reads)

    commit.reserve([placement("order-3", {"prod-002": 1})])

    assert store.reads[reads:] == []


# --- prices -------------------------------------------------------------------------------------------


def test_prices_are_read_once_and_then_never_again() -> None:
    store = CountingStore([a_stock()])
    commit = ledger(store)

    for n in range(3):
        commit.reserve([placement(f"order-{n}")])

    assert store.reads == [{"prod-001"}]


def test_a_changed_price_is_read_again_and_charged() -> None:
    store = CountingStore([a_stock(price=1_000)])
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    store.stock[SKU] = replace(store.stock[SKU], price=Price(1_500, "USD"))

    outcomes = commit.reserve([placement("order-2")])

    assert statuses(outcomes.values()) == ["RESERVED"]
    assert store.orders[ORDER_2].amount_minor == 1_500
    assert store.reads == [{"prod-001"}]


def test_a_changed_price_is_remembered() -> None:
    store = MemoryStore([a_stock(price=1_000)])
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    store.stock[SKU] = replace(store.stock[SKU], price=Price(1_500, "USD"))
    commit.reserve([placement("order-2")])
    before = len(store.transactions)

    commit.reserve([placement("order-3")])

    assert len(store.transactions) == before + 1


def test_a_sku_taken_off_the_shelf_is_unknown_even_though_its_price_was_remembered() -> None:
    store = MemoryStore([a_stock()])
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    del store.stock[SKU]

    commit.reserve([placement("order-2")])

    assert store.orders[ORDER_2].reason == "unknown_sku"


def test_a_sku_that_was_unknown_is_looked_up_again() -> None:
    store = MemoryStore()
    commit = ledger(store)
    commit.reserve([placement("order-1")])
    store.stock[SKU] = a_stock()

    outcomes = commit.reserve([placement("order-2")])

    assert statuses(outcomes.values()) == ["RESERVED"]


def test_a_full_memory_of_prices_makes_no_sku_unknown() -> None:
    store = MemoryStore([a_stock("a"), a_stock("b")])
    commit = GroupCommit(store, waits=no_waiting(), max_prices=1)
    commit.reserve([placement("order-1", {"a": 1})])

    outcomes = commit.reserve([placement("order-2", {"a": 1, "b": 1})])

    assert statuses(outcomes.values()) == ["RESERVED"]


def test_no_order_is_rejected_for_mixed_currencies_that_only_memory_holds() -> None:
    store = MemoryStore([a_stock("a", currency="USD"), a_stock("b", currency="EUR")])
    commit = ledger(store)
    commit.reserve([placement("order-1", {"a": 1}), placement("order-2", {"b": 1})])
    store.stock[a_key("b")] = replace(store.stock[a_key("b")], price=Price(1_000, "USD"))

    outcomes = commit.reserve([placement("order-3", {"a": 1, "b": 1})])

    assert statuses(outcomes.values()) == ["RESERVED"]


def test_mixed_currencies_are_rejected() -> None:
    store = MemoryStore([a_stock("a", currency="USD"), a_stock("b", currency="EUR")])

    ledger(store).reserve([placement("order-1", {"a": 1, "b": 1})])

    assert (store.orders[ORDER_1].reason, store.orders[ORDER_1].blamed) == ("currency_mismatch", ("a", "b"))


# --- reading ------------------------------------------------------------------------------------------


def test_nothing_is_read_when_nothing_is_asked() -> None:
    assert ledger(MemoryStore()).orders([]) == {}


def test_nothing_is_written_when_nothing_is_asked() -> None:
    store = MemoryStore()

    assert ledger(store).reserve([]) == {}
    assert ledger(store).move([]) == {}
    assert store.transactions == []
