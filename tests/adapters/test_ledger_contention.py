"""Sixteen processes' worth of rivals on one real table: what is sold is exactly what was there."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.shared.group_commit import GroupCommit
from services.shared.ledger import Committed, Found, Move, Order, Payment, Placement, Status
from tests.conftest import RunningEmulator
from tests.contracts.conftest import dynamodb_store
from tests.contracts.test_ledger import levels, placement
from tests.support.fakes import START, a_stock

pytestmark = pytest.mark.emulator

CONCURRENCY = 16


def test_rival_batches_sell_exactly_the_stock(emulator: RunningEmulator) -> None:
    store = dynamodb_store(emulator.clients.client("dynamodb"))
    store.seed([a_stock("scarce", 100), a_stock("plenty", 10_000)])

    def shop(worker: int) -> list[str]:
        batch = [placement(f"{worker}-{n}", ("scarce", 1), ("plenty", 2)) for n in range(20)]
        outcomes = GroupCommit(store).reserve(batch)
        return [
            outcome.order.reason or outcome.order.status.value
            if isinstance(outcome, Committed)
            else str(outcome)
            for outcome in outcomes.values()
        ]

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        ends = Counter(end for ends in pool.map(shop, range(CONCURRENCY)) for end in ends)

    assert ends == {"RESERVED": 100, "out_of_stock": 220}
    assert levels(store, "scarce", "plenty") == [(100, 100, 0), (10_000, 200, 9_800)]


def test_the_same_batch_from_many_deliveries_takes_effect_once(emulator: RunningEmulator) -> None:
    store = dynamodb_store(emulator.clients.client("dynamodb"))
    store.seed([a_stock("apple", 1_000)])
    batch = [placement(f"order-{n}", ("apple", 1)) for n in range(60)]

    def deliver(_: int) -> Counter[type]:
        return Counter(type(outcome) for outcome in GroupCommit(store).reserve(batch).values())

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        ends: Counter[type] = sum(pool.map(deliver, range(CONCURRENCY)), Counter())

    assert ends == {Committed: 60, Found: 60 * (CONCURRENCY - 1)}
    assert levels(store, "apple") == [(1_000, 60, 940)]


def test_of_rival_ends_of_one_order_only_one_counts(emulator: RunningEmulator) -> None:
    store = dynamodb_store(emulator.clients.client("dynamodb"))
    store.seed([a_stock("apple", 100)])
    orders = _reserved(GroupCommit(store), [placement(f"order-{n}", ("apple", 2)) for n in range(30)])

    def settle(worker: int) -> Counter[str]:
        def end(order: Order) -> Order:
            if worker % 2:
                return order.moved(Status.CONFIRMED, START, "paid", payment=Payment(f"ch-{worker}"))
            return order.moved(Status.CANCELLED, START, "late", reason="reservation_expired")

        outcomes = GroupCommit(store).move([Move(order, end(order)) for order in orders])
        return Counter(
            outcome.order.status.value for outcome in outcomes.values() if isinstance(outcome, Committed)
        )

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        ends: Counter[str] = sum(pool.map(settle, range(CONCURRENCY)), Counter())

    assert ends.total() == 30
    sold = 2 * ends["CONFIRMED"]
    assert levels(store, "apple") == [(100 - sold, 0, 100 - sold)]
    states = Counter(order.status.value for order in store.read_orders([o.key for o in orders]).values())
    assert states == ends


def _reserved(ledger: GroupCommit, placements: list[Placement]) -> list[Order]:
    outcomes = ledger.reserve(placements)
    return [outcome.order for outcome in outcomes.values() if isinstance(outcome, Committed)]
