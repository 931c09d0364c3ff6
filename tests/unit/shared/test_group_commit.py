"""Group commit over a store that is busy, or loses its answers."""

from dataclasses import replace

from services.shared.errors import StoreUnavailableError
from services.shared.ledger import (
    Committed,
    Found,
    Price,
    Status,
    Stock,
    Transition,
    Unsettled,
)
from tests.support.builders import a_key, placement, reserved
from tests.support.fakes import START, MemoryStore, ScriptedStore, a_stock
from tests.support.group_commit import (
    CONFLICT,
    ORDER_1,
    ORDER_2,
    ORDER_3,
    SKU,
    BusyStore,
    ForgetfulStore,
    confirm,
    ledger,
    levels,
    statuses,
)


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
