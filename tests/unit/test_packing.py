"""Which orders share a transaction, who is admitted, and what a refusal teaches."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from services.shared.ledger import (
    Broken,
    Busy,
    Delta,
    Key,
    Move,
    Order,
    OrderWrite,
    Passed,
    Payment,
    Placement,
    Price,
    Refused,
    Status,
    Stock,
    StockWrite,
    Verdict,
)
from services.shared.packing import Entry, Knowledge, Lesson, admit, learn, plan, writes
from tests.builders import a_key, placement, reserved
from tests.fakes import START, a_stock

USD = Price(1_000, "USD")
A, B, C = a_key("a"), a_key("b"), a_key("c")


# --- plan ---------------------------------------------------------------------------------------------

MAX_ACTIONS = 12
baskets = st.lists(
    st.sets(st.sampled_from([f"sku-{n}" for n in range(20)]), min_size=1, max_size=10).map(sorted),
    max_size=40,
)


def placements(wanted: Sequence[Sequence[str]]) -> list[Placement]:
    return [placement(f"order-{n}", dict.fromkeys(skus, 1)) for n, skus in enumerate(wanted)]


def actions(pack: Sequence[Placement]) -> int:
    return len(pack) + len({key for one in pack for key in one.stock_keys()})


@given(baskets)
@settings(deadline=None)
def test_every_order_is_planned_exactly_once(wanted: list[list[str]]) -> None:
    work = placements(wanted)

    planned = [one for chain in plan(work, MAX_ACTIONS) for pack in chain for one in pack]

    assert sorted(planned, key=lambda one: one.key) == sorted(work, key=lambda one: one.key)


@given(baskets)
@settings(deadline=None)
def test_no_pack_is_larger_than_a_transaction_may_be(wanted: list[list[str]]) -> None:
    chains = plan(placements(wanted), MAX_ACTIONS)

    assert all(actions(pack) <= MAX_ACTIONS for chain in chains for pack in chain)


@given(baskets)
@settings(deadline=None)
def test_orders_for_one_sku_keep_their_order_of_arrival(wanted: list[list[str]]) -> None:
    work = placements(wanted)
    arrival = {one.key: n for n, one in enumerate(work)}

    for chain in plan(work, MAX_ACTIONS):
        for sku in {key for pack in chain for one in pack for key in one.stock_keys()}:
            turns = [arrival[one.key] for pack in chain for one in pack if sku in one.stock_keys()]
            assert turns == sorted(turns)


@given(baskets)
@settings(deadline=None)
def test_no_two_chains_touch_the_same_sku(wanted: list[list[str]]) -> None:
    chains = plan(placements(wanted), MAX_ACTIONS)

    touched = [{key for pack in chain for one in pack for key in one.stock_keys()} for chain in chains]

    assert sum(map(len, touched)) == len(set().union(*touched))


@given(baskets)
@settings(deadline=None)
def test_a_pack_is_cut_only_when_the_next_order_does_not_fit(wanted: list[list[str]]) -> None:
    for chain in plan(placements(wanted), MAX_ACTIONS):
        for pack, following in pairwise(chain):
            assert actions([*pack, following[0]]) > MAX_ACTIONS


@given(baskets)
@settings(deadline=None)
def test_no_two_whole_chains_would_fit_in_one_pack(wanted: list[list[str]]) -> None:
    lone = [chain[0] for chain in plan(placements(wanted), MAX_ACTIONS) if len(chain) == 1]

    assert all(actions(one + other) > MAX_ACTIONS for n, one in enumerate(lone) for other in lone[n + 1 :])


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


def test_orders_that_share_nothing_fill_one_pack_to_the_brim() -> None:
    work = placements([["a"], ["b"]])

    assert plan(work, max_actions=4) == [[work]]


def test_nothing_to_do_is_planned_as_nothing() -> None:
    assert plan(placements([])) == []


# --- admit --------------------------------------------------------------------------------------------


def decided(known: Knowledge, *wanted: dict[str, int]) -> list[tuple[str, str | None, tuple[str, ...]]]:
    entries = admit([placement(f"order-{n}", skus) for n, skus in enumerate(wanted)], known)
    return [(entry.after.status.value, entry.after.reason, entry.after.blamed) for entry in entries]


ADMITTED = ("RESERVED", None, ())


def test_a_sku_whose_level_is_unknown_counts_as_plentiful() -> None:
    assert decided(Knowledge({A: USD}), {"a": 1_000_000}) == [ADMITTED]


def test_orders_are_admitted_in_order_of_arrival_as_far_as_the_stock_reaches() -> None:
    assert decided(Knowledge({A: USD}, {A: 3}), {"a": 2}, {"a": 1}, {"a": 1}) == [
        ADMITTED,
        ADMITTED,
        ("REJECTED", "out_of_stock", ("a",)),
    ]


def test_an_order_that_does_not_fit_does_not_hold_up_a_smaller_one_behind_it() -> None:
    assert decided(Knowledge({A: USD}, {A: 3}), {"a": 4}, {"a": 3}) == [
        ("REJECTED", "out_of_stock", ("a",)),
        ADMITTED,
    ]


def test_an_order_gets_all_its_skus_or_takes_none() -> None:
    known = Knowledge({A: USD, B: USD}, {A: 1, B: 0})

    assert decided(known, {"a": 1, "b": 1}, {"a": 1}) == [("REJECTED", "out_of_stock", ("b",)), ADMITTED]


def test_every_sku_that_is_short_is_blamed() -> None:
    known = Knowledge({A: USD, B: USD, C: USD}, {A: 0, B: 9, C: 1})

    assert decided(known, {"a": 1, "b": 1, "c": 2}) == [("REJECTED", "out_of_stock", ("a", "c"))]


def test_a_sku_nobody_knows_matters_more_than_mixed_currencies_or_short_stock() -> None:
    known = Knowledge({A: USD, B: Price(900, "EUR"), C: None}, {A: 0})

    assert decided(known, {"a": 1, "b": 1, "c": 1}) == [("REJECTED", "unknown_sku", ("c",))]


def test_mixed_currencies_matter_more_than_short_stock() -> None:
    known = Knowledge({A: USD, B: Price(900, "EUR")}, {A: 0})

    assert decided(known, {"a": 1, "b": 1}) == [("REJECTED", "currency_mismatch", ("a", "b"))]


def test_an_admitted_order_is_priced() -> None:
    (entry,) = admit([placement("order-1", {"a": 2, "b": 1})], Knowledge({A: USD, B: Price(50, "USD")}))

    assert (entry.after.amount_minor, entry.after.currency) == (2_050, "USD")
    assert [line.unit_price_minor for line in entry.after.lines] == [1_000, 50]


def test_a_rejected_order_is_kept_with_what_it_wanted_but_not_priced() -> None:
    (entry,) = admit([placement("order-1", {"a": 2})], Knowledge({A: USD}, {A: 1}))

    assert [(line.sku, line.quantity) for line in entry.after.lines] == [("a", 2)]
    assert (entry.after.amount_minor, entry.after.currency, entry.after.expires_at) == (0, None, None)


def test_the_same_sku_of_two_tenants_is_two_skus() -> None:
    other = replace(placement("order-2", {"a": 1}), key=Key("shop-2", "order-2"))
    known = Knowledge({A: USD, Key("shop-2", "a"): USD}, {A: 1})

    entries = admit([placement("order-1", {"a": 1}), other], known)

    assert [entry.after.status for entry in entries] == [Status.RESERVED, Status.RESERVED]


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), min_size=1), max_size=12))
@settings(deadline=None)
def test_no_more_is_admitted_than_there_is(wanted: list[dict[str, int]]) -> None:
    known = Knowledge({A: USD, B: USD, C: USD}, {A: 5, B: 5, C: 5})

    entries = admit([placement(f"order-{n}", skus) for n, skus in enumerate(wanted)], known)

    for sku in "abc":
        admitted = [entry.after for entry in entries if entry.after.status is Status.RESERVED]
        assert sum(line.quantity for order in admitted for line in order.lines if line.sku == sku) <= 5


# --- writes -------------------------------------------------------------------------------------------


def test_a_pack_writes_each_sku_once_with_everybodys_quantities() -> None:
    entries = admit(
        [placement("order-1", {"a": 2, "b": 1}), placement("order-2", {"a": 3})], Knowledge({A: USD, B: USD})
    )

    spelled = writes(entries)

    assert spelled == [
        OrderWrite(None, entries[0].after),
        OrderWrite(None, entries[1].after),
        StockWrite(A, Delta(reserved=5, available=-5), USD),
        StockWrite(B, Delta(reserved=1, available=-1), USD),
    ]


def test_a_rejected_order_is_written_but_touches_no_stock() -> None:
    entries = admit([placement("order-1", {"a": 2})], Knowledge({A: None}))

    assert writes(entries) == [OrderWrite(None, entries[0].after)]


def test_a_settlement_does_not_depend_on_the_price() -> None:
    before = reserved("order-1", {"a": 2})
    after = before.moved(Status.CONFIRMED, START, "paid")

    assert writes([Entry(before, after)])[1:] == [StockWrite(A, Delta(stock=-2, reserved=-2))]


# --- learn --------------------------------------------------------------------------------------------


def lesson(
    entries: Sequence[Entry], verdicts: dict[tuple[type, str], Verdict], known: Knowledge | None = None
) -> Lesson:
    """What is learned when the named writes get these verdicts and all others pass."""
    attempted = writes(entries)
    answers = [verdicts.get((type(write), write.key.id), Passed()) for write in attempted]
    return learn(entries, attempted, answers, known or Knowledge())


def two_reservations(known: Knowledge) -> list[Entry]:
    return admit([placement("order-1", {"a": 2}), placement("order-2", {"a": 3})], known)


def confirmation(order: Order) -> Entry:
    return Entry(order, order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1")))


def test_an_order_that_exists_already_leaves_the_pack() -> None:
    there = reserved("order-1")

    learned = lesson(two_reservations(Knowledge({A: USD})), {(OrderWrite, "order-1"): Refused(there)})

    assert learned == Lesson({a_key("order-1"): there}, {}, busy=False)


def test_short_stock_teaches_the_level() -> None:
    known = Knowledge({A: USD})

    learned = lesson(two_reservations(known), {(StockWrite, "a"): Refused(a_stock("a", 4))}, known)

    assert learned == Lesson({}, {}, busy=False)
    assert known.available == {A: 4}


def test_a_changed_price_teaches_the_price() -> None:
    known = Knowledge({A: USD})

    learned = lesson(
        two_reservations(known), {(StockWrite, "a"): Refused(a_stock("a", 10, price=1_100))}, known
    )

    assert learned == Lesson({}, {}, busy=False)
    assert known.prices == {A: Price(1_100, "USD")}


def test_a_sku_that_is_gone_is_known_to_be_missing() -> None:
    known = Knowledge({A: USD})

    lesson(two_reservations(known), {(StockWrite, "a"): Refused(None)}, known)

    assert known.prices == {A: None}


def test_contention_is_busy_and_says_nothing_about_the_stock() -> None:
    known = Knowledge({A: USD})

    learned = lesson(two_reservations(known), {(StockWrite, "a"): Busy()}, known)

    assert learned == Lesson({}, {}, busy=True)
    assert known == Knowledge({A: USD})


def test_a_cancellation_without_a_cause_is_contention() -> None:
    assert lesson(two_reservations(Knowledge({A: USD})), {}) == Lesson({}, {}, busy=True)


def test_something_learned_beside_contention_is_still_busy() -> None:
    there = reserved("order-1")

    learned = lesson(
        two_reservations(Knowledge({A: USD})),
        {(OrderWrite, "order-1"): Refused(there), (StockWrite, "a"): Busy()},
    )

    assert learned == Lesson({a_key("order-1"): there}, {}, busy=True)


def test_a_broken_sku_touches_only_its_own_orders() -> None:
    entries = admit(
        [placement("order-1", {"a": 1}), placement("order-2", {"b": 1})], Knowledge({A: USD, B: USD})
    )

    learned = lesson(entries, {(StockWrite, "a"): Broken("not a number")})

    assert learned == Lesson({}, {a_key("order-1"): "not a number"}, busy=False)


def test_a_broken_order_touches_only_itself() -> None:
    learned = lesson(two_reservations(Knowledge({A: USD})), {(OrderWrite, "order-2"): Broken("too large")})

    assert learned == Lesson({}, {a_key("order-2"): "too large"}, busy=False)


def test_an_order_named_like_its_sku_is_not_taken_for_it() -> None:
    entries = admit([placement("a", {"a": 1}), placement("b", {"a": 1})], Knowledge({A: USD}))

    learned = lesson(entries, {(OrderWrite, "a"): Broken("too large")})

    assert learned == Lesson({}, {a_key("a"): "too large"}, busy=False)


def test_a_broken_sku_is_not_taken_for_the_order_of_its_name() -> None:
    entries = admit([placement("a", {"b": 1}), placement("b", {"a": 1})], Knowledge({A: USD, B: USD}))

    learned = lesson(entries, {(StockWrite, "a"): Broken("not a number")})

    assert learned == Lesson({}, {a_key("b"): "not a number"}, busy=False)


def test_an_order_that_vanished_is_broken() -> None:
    learned = lesson([confirmation(reserved("order-1", {"a": 1}))], {(OrderWrite, "order-1"): Refused(None)})

    assert learned.broken == {a_key("order-1"): "the order is gone"}


def test_stock_that_cannot_give_back_what_was_reserved_is_broken() -> None:
    entry = confirmation(reserved("order-1", {"a": 2}))

    learned = lesson([entry], {(StockWrite, "a"): Refused(Stock(A, 9, 1, 8, USD))})

    assert set(learned.broken) == {a_key("order-1")}
    assert not learned.busy


def test_stock_refused_to_an_order_that_moved_already_is_no_fault_of_the_stock() -> None:
    mine, others = reserved("order-1", {"a": 2}), reserved("order-2", {"a": 3})
    settled = confirmation(mine).after

    learned = lesson(
        [confirmation(mine), confirmation(others)],
        {(OrderWrite, "order-1"): Refused(settled), (StockWrite, "a"): Refused(Stock(A, 8, 3, 5, USD))},
    )

    assert learned == Lesson({a_key("order-1"): settled}, {}, busy=False)


def test_an_order_found_to_have_moved_is_not_also_broken() -> None:
    before = reserved("order-1", {"a": 2})
    settled = confirmation(before).after

    learned = lesson(
        [confirmation(before)],
        {(OrderWrite, "order-1"): Refused(settled), (StockWrite, "a"): Broken("not a number")},
    )

    assert learned == Lesson({a_key("order-1"): settled}, {}, busy=False)
