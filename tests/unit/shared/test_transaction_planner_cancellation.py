"""What a refused pack teaches."""

from collections.abc import Sequence

from services.shared.ledger import (
    Broken,
    Busy,
    Order,
    OrderWrite,
    Passed,
    Payment,
    Price,
    Refused,
    Status,
    Stock,
    StockWrite,
    Verdict,
)
from services.shared.transaction_planner import Busyness, Entry, Findings, Knowledge, admit, learn, writes
from tests.support.builders import a_key, placement, reserved
from tests.support.fakes import START, a_stock

USD = Price(1_000, "USD")
A, B = a_key("a"), a_key("b")


def lesson(
    entries: Sequence[Entry], verdicts: dict[tuple[type, str], Verdict], known: Knowledge | None = None
) -> Findings:
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

    assert learned == Findings({a_key("order-1"): there}, {})


def test_short_stock_teaches_the_level() -> None:
    known = Knowledge({A: USD})

    learned = lesson(two_reservations(known), {(StockWrite, "a"): Refused(a_stock("a", 4))}, known)

    assert learned == Findings({}, {})
    assert known.available == {A: 4}


def test_a_changed_price_teaches_the_price() -> None:
    known = Knowledge({A: USD})

    learned = lesson(
        two_reservations(known), {(StockWrite, "a"): Refused(a_stock("a", 10, price=1_100))}, known
    )

    assert learned == Findings({}, {})
    assert known.prices == {A: Price(1_100, "USD")}


def test_a_sku_that_is_gone_is_known_to_be_missing() -> None:
    known = Knowledge({A: USD})

    lesson(two_reservations(known), {(StockWrite, "a"): Refused(None)}, known)

    assert known.prices == {A: None}


def test_contention_is_busy_and_says_nothing_about_the_stock() -> None:
    known = Knowledge({A: USD})

    learned = lesson(two_reservations(known), {(StockWrite, "a"): Busy()}, known)

    assert learned == Findings({}, {}, Busyness({a_key("order-1"), a_key("order-2")}, {A}))
    assert known == Knowledge({A: USD})


def test_contention_on_one_sku_is_no_contention_on_another() -> None:
    entries = admit(
        [placement("order-1", {"a": 1}), placement("order-2", {"b": 1})], Knowledge({A: USD, B: USD})
    )

    learned = lesson(entries, {(StockWrite, "a"): Busy()})

    assert learned.busy == Busyness({a_key("order-1")}, {A})


def test_a_busy_order_is_busy_alone() -> None:
    learned = lesson(two_reservations(Knowledge({A: USD})), {(OrderWrite, "order-2"): Busy()})

    assert learned.busy == Busyness({a_key("order-2")}, set())


def test_a_cancellation_without_a_cause_is_contention() -> None:
    learned = lesson(two_reservations(Knowledge({A: USD})), {})

    assert learned.busy == Busyness({a_key("order-1"), a_key("order-2")}, {A}, explained=False)


def test_something_learned_beside_contention_is_still_busy() -> None:
    there = reserved("order-1")

    learned = lesson(
        two_reservations(Knowledge({A: USD})),
        {(OrderWrite, "order-1"): Refused(there), (StockWrite, "a"): Busy()},
    )

    assert learned.found == {a_key("order-1"): there}
    assert learned.busy == Busyness({a_key("order-1"), a_key("order-2")}, {A})


def test_a_broken_sku_touches_only_its_own_orders() -> None:
    entries = admit(
        [placement("order-1", {"a": 1}), placement("order-2", {"b": 1})], Knowledge({A: USD, B: USD})
    )

    learned = lesson(entries, {(StockWrite, "a"): Broken("not a number")})

    assert learned == Findings({}, {a_key("order-1"): "not a number"})


def test_a_broken_order_touches_only_itself() -> None:
    learned = lesson(two_reservations(Knowledge({A: USD})), {(OrderWrite, "order-2"): Broken("too large")})

    assert learned == Findings({}, {a_key("order-2"): "too large"})


def test_an_order_named_like_its_sku_is_not_taken_for_it() -> None:
    entries = admit([placement("a", {"a": 1}), placement("b", {"a": 1})], Knowledge({A: USD}))

    learned = lesson(entries, {(OrderWrite, "a"): Broken("too large")})

    assert learned == Findings({}, {a_key("a"): "too large"})


def test_a_broken_sku_is_not_taken_for_the_order_of_its_name() -> None:
    entries = admit([placement("a", {"b": 1}), placement("b", {"a": 1})], Knowledge({A: USD, B: USD}))

    learned = lesson(entries, {(StockWrite, "a"): Broken("not a number")})

    assert learned == Findings({}, {a_key("b"): "not a number"})


def test_an_order_that_vanished_is_broken() -> None:
    learned = lesson([confirmation(reserved("order-1", {"a": 1}))], {(OrderWrite, "order-1"): Refused(None)})

    assert learned.broken == {a_key("order-1"): "the order does not exist any more"}


def test_stock_that_cannot_give_back_what_was_reserved_is_broken() -> None:
    entry = confirmation(reserved("order-1", {"a": 2}))

    learned = lesson([entry], {(StockWrite, "a"): Refused(Stock(A, 9, 1, 8, USD))})

    assert set(learned.broken) == {a_key("order-1")}
    assert learned.busy == Busyness()


def test_stock_refused_to_an_order_that_may_have_moved_already_is_no_fault_of_the_stock() -> None:
    entry = confirmation(reserved("order-1", {"a": 2}))

    learned = lesson(
        [entry], {(OrderWrite, "order-1"): Busy(), (StockWrite, "a"): Refused(Stock(A, 8, 0, 8, USD))}
    )

    assert learned == Findings({}, {}, Busyness({a_key("order-1")}))


def test_stock_refused_to_an_order_that_moved_already_is_no_fault_of_the_stock() -> None:
    mine, others = reserved("order-1", {"a": 2}), reserved("order-2", {"a": 3})
    settled = confirmation(mine).after

    learned = lesson(
        [confirmation(mine), confirmation(others)],
        {(OrderWrite, "order-1"): Refused(settled), (StockWrite, "a"): Refused(Stock(A, 8, 3, 5, USD))},
    )

    assert learned == Findings({a_key("order-1"): settled}, {})


def test_an_order_found_to_have_moved_is_not_also_broken() -> None:
    before = reserved("order-1", {"a": 2})
    settled = confirmation(before).after

    learned = lesson(
        [confirmation(before)],
        {(OrderWrite, "order-1"): Refused(settled), (StockWrite, "a"): Broken("not a number")},
    )

    assert learned == Findings({a_key("order-1"): settled}, {})
