"""Prices kept in memory may be old; what is decided on them must not be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from services.shared.group_commit import GroupCommit
from services.shared.ledger import (
    Busy,
    Committed,
    Key,
    Placement,
    Price,
    Status,
    StockWrite,
    Verdict,
    Write,
)
from tests.support.builders import a_key, no_waiting, placement
from tests.support.fakes import START, MemoryStore, a_stock
from tests.support.group_commit import ORDER_1, ORDER_2, SKU, CountingStore, ledger, statuses

APPLE, PEAR = Key("default", "apple"), Key("default", "pear")


def _placement(name: str, *skus: str) -> Placement:
    return Placement(
        key=Key("default", name),
        customer_id="customer-1",
        quantities=tuple((sku, 1) for sku in skus),
        placed_at=START,
        payment_method=None,
        at=START,
        expires_at=START + timedelta(minutes=15),
        event_id=f"event-{name}",
    )


def _status(ledger: GroupCommit, placement: Placement) -> Status:
    outcome = ledger.reserve([placement])[placement.key]
    assert isinstance(outcome, Committed)
    return outcome.order.status


def _reprice(store: MemoryStore, key: Key, currency: str) -> None:
    store.stock[key] = replace(store.stock[key], price=Price(1_000, currency))


def test_two_currencies_that_have_become_one_are_no_mismatch() -> None:
    store = MemoryStore([a_stock("apple"), a_stock("pear", currency="EUR")])
    ledger = GroupCommit(store)
    assert _status(ledger, _placement("before", "apple", "pear")) is Status.REJECTED
    _reprice(store, PEAR, "USD")

    assert _status(ledger, _placement("after", "apple", "pear")) is Status.RESERVED


class _HalfBusyStore(MemoryStore):
    """A transaction is refused for the price of one SKU, while the other SKU is held by a rival."""

    def transact(self, writes: Sequence[Write]) -> Sequence[Verdict]:
        verdicts = super().transact(writes)
        return [
            Busy() if isinstance(write, StockWrite) and write.key == PEAR else verdict
            for write, verdict in zip(writes if verdicts else (), verdicts, strict=True)
        ]


def test_one_new_price_beside_one_old_price_is_no_mismatch() -> None:
    store = _HalfBusyStore([a_stock("apple"), a_stock("pear")])
    ledger = GroupCommit(store, waits=lambda: iter([True] * 3))
    assert _status(ledger, _placement("before", "apple", "pear")) is Status.RESERVED
    _reprice(store, APPLE, "EUR")
    _reprice(store, PEAR, "EUR")

    assert _status(ledger, _placement("after", "apple", "pear")) is Status.RESERVED


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
