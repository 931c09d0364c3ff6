"""Group commit: what stock admits, and what is remembered of it."""

from dataclasses import replace

from services.shared.ledger import (
    Delta,
    Found,
    Price,
    Status,
    StockWrite,
)
from tests.support.builders import a_key, placement
from tests.support.fakes import MemoryStore, a_stock
from tests.support.group_commit import (
    ORDER_1,
    ORDER_2,
    ORDER_3,
    SKU,
    CountingStore,
    RestockingStore,
    ledger,
    levels,
    statuses,
)


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


def test_nothing_is_read_when_nothing_is_asked() -> None:
    assert ledger(MemoryStore()).orders([]) == {}


def test_nothing_is_written_when_nothing_is_asked() -> None:
    store = MemoryStore()

    assert ledger(store).reserve([]) == {}
    assert ledger(store).move([]) == {}
    assert store.transactions == []
