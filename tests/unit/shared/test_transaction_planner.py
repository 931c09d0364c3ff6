"""Which orders share a transaction."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.shared.ledger import (
    Move,
    Payment,
    Placement,
    Status,
)
from services.shared.transaction_planner import MIXED_ACTIONS, plan, split
from tests.support.builders import a_key, placement, reserved
from tests.support.fakes import START

MAX_ACTIONS = 12
baskets = st.lists(
    st.sets(st.sampled_from([f"sku-{n}" for n in range(20)]), min_size=1, max_size=10).map(sorted),
    max_size=40,
)


def placements(requested_skus: Sequence[Sequence[str]]) -> list[Placement]:
    return [placement(f"order-{n}", dict.fromkeys(skus, 1)) for n, skus in enumerate(requested_skus)]


def actions(pack: Sequence[Placement]) -> int:
    return len(pack) + len({key for one in pack for key in one.stock_keys()})


@given(baskets)
def test_every_order_is_planned_exactly_once(requested_skus: list[list[str]]) -> None:
    work = placements(requested_skus)

    planned = [one for chain in plan(work, MAX_ACTIONS) for pack in chain for one in pack]

    assert sorted(planned, key=lambda one: one.key) == sorted(work, key=lambda one: one.key)


@given(baskets)
def test_no_pack_is_larger_than_a_transaction_may_be(requested_skus: list[list[str]]) -> None:
    chains = plan(placements(requested_skus), MAX_ACTIONS)

    assert all(actions(pack) <= MAX_ACTIONS for chain in chains for pack in chain)


@given(baskets)
def test_orders_for_one_sku_keep_their_order_of_arrival(requested_skus: list[list[str]]) -> None:
    work = placements(requested_skus)
    arrival = {one.key: n for n, one in enumerate(work)}

    for chain in plan(work, MAX_ACTIONS):
        for sku in {key for pack in chain for one in pack for key in one.stock_keys()}:
            turns = [arrival[one.key] for pack in chain for one in pack if sku in one.stock_keys()]
            assert turns == sorted(turns)


@given(baskets)
def test_no_two_chains_touch_the_same_sku(requested_skus: list[list[str]]) -> None:
    chains = plan(placements(requested_skus), MAX_ACTIONS)

    touched = [{key for pack in chain for one in pack for key in one.stock_keys()} for chain in chains]

    assert sum(map(len, touched)) == len(set().union(*touched))


@given(baskets)
def test_a_pack_is_cut_only_when_the_next_order_does_not_fit(requested_skus: list[list[str]]) -> None:
    for chain in plan(placements(requested_skus), MAX_ACTIONS):
        for pack, following in pairwise(chain):
            assert actions([*pack, following[0]]) > MAX_ACTIONS


@given(baskets)
def test_no_two_whole_chains_would_fit_in_one_small_pack(requested_skus: list[list[str]]) -> None:
    lone = [chain[0] for chain in plan(placements(requested_skus), MAX_ACTIONS) if len(chain) == 1]

    assert all(actions(one + other) > MIXED_ACTIONS for n, one in enumerate(lone) for other in lone[n + 1 :])


def test_ninety_nine_orders_for_one_sku_share_one_transaction() -> None:
    chains = plan(placements([["sku-1"]] * 99))

    assert [[len(pack) for pack in chain] for chain in chains] == [[99]]


def test_the_hundredth_order_for_one_sku_begins_the_next() -> None:
    chains = plan(placements([["sku-1"]] * 100))

    assert [[len(pack) for pack in chain] for chain in chains] == [[99, 1]]


def test_orders_that_share_a_sku_only_through_another_order_are_in_one_chain() -> None:
    chains = plan(placements([["a"], ["b"], ["a", "b"]]), max_actions=3)

    assert [[one.key.id for one in pack] for chain in chains for pack in chain] == [
        ["order-0"],
        ["order-1"],
        ["order-2"],
    ]
    assert len(chains) == 1


def test_moves_that_touch_no_stock_share_a_pack() -> None:
    paid = replace(reserved(), status=Status.CONFIRMED, payment=Payment("ch-1"))
    moves = [
        Move(order, order.moved(Status.REFUNDED, START, "refund"))
        for order in (replace(paid, key=a_key(f"order-{n}")) for n in range(3))
    ]

    assert plan(moves) == [[moves]]


@given(baskets)
def test_unrelated_orders_share_only_small_packs(requested_skus: list[list[str]]) -> None:
    for chain in plan(placements(requested_skus)):
        for pack in chain:
            assert len(split(pack)) == 1 or actions(pack) <= MIXED_ACTIONS or _related(pack)


def _related(pack: Sequence[Placement]) -> bool:
    """Whether every order shares a SKU with another, directly or through others."""
    reached, left = set(pack[0].stock_keys()), list(pack[1:])
    while near := [one for one in left if not reached.isdisjoint(one.stock_keys())]:
        reached.update(*(one.stock_keys() for one in near))
        left = [one for one in left if one not in near]
    return not left


def test_a_pack_of_unrelated_orders_parts_into_its_orders() -> None:
    work = placements([["a"], ["b"], ["a"], ["c"]])

    assert split(work) == [[work[0], work[2]], [work[1]], [work[3]]]


def test_related_orders_part_in_halves_in_arrival_order() -> None:
    work = placements([["a", "b"], ["b", "c"], ["c", "d"]])

    assert split(work) == [work[:1], work[1:]]


def test_orders_that_share_one_sku_stay_together() -> None:
    work = placements([["hot", "a"], ["hot", "b"], ["hot"]])

    assert split(work) == [work]


def test_orders_that_share_nothing_fill_one_pack_to_the_brim() -> None:
    work = placements([["a"], ["b"]])

    assert plan(work, max_actions=4) == [[work]]


def test_nothing_to_do_is_planned_as_nothing() -> None:
    assert plan(placements([])) == []
