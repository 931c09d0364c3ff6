"""What the ledger promises, over every store: the fake, moto, and an emulator of the real thing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.shared.group_commit import GroupCommit
from services.shared.ledger import (
    Committed,
    Found,
    Key,
    Move,
    Order,
    Payment,
    Placement,
    Refund,
    Status,
    Store,
)
from tests.contracts.conftest import StoreWith
from tests.support.fakes import START, a_stock


def placement(name: str, *quantities: tuple[str, int]) -> Placement:
    return Placement(
        key=Key("default", name),
        customer_id="customer-1",
        quantities=quantities,
        placed_at=START,
        payment_method=None,
        at=START,
        expires_at=START + timedelta(minutes=15),
        event_id=f"event-{name}",
    )


def reserve(ledger: GroupCommit, *placements: Placement) -> list[str]:
    outcomes = ledger.reserve(placements)
    return [_spelled(outcomes[one.key]) for one in placements]


def _spelled(outcome: object) -> str:
    match outcome:
        case Committed(order=order):
            return order.reason or order.status.value
        case Found(order=order):
            return f"found {order.status.value}"
        case _:
            return str(outcome)


def levels(store: Store, *skus: str) -> list[tuple[int, int, int]]:
    read = store.read_stock([Key("default", sku) for sku in skus])
    return [
        (stock.stock, stock.reserved, stock.available)
        for stock in (read[Key("default", sku)] for sku in skus)
    ]


def test_orders_are_admitted_in_the_order_they_came_as_far_as_stock_reaches(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])

    outcomes = reserve(
        GroupCommit(store),
        placement("a", ("apple", 2)),
        placement("b", ("apple", 4)),
        placement("c", ("apple", 3)),
        placement("d", ("apple", 1)),
    )

    assert outcomes == ["RESERVED", "out_of_stock", "RESERVED", "out_of_stock"]
    assert levels(store, "apple") == [(5, 5, 0)]


def test_an_order_gets_all_its_skus_or_none(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5), a_stock("pear", 0)])

    assert reserve(GroupCommit(store), placement("a", ("apple", 2), ("pear", 1))) == ["out_of_stock"]
    assert levels(store, "apple", "pear") == [(5, 0, 5), (0, 0, 0)]


def test_an_order_placed_again_is_found_and_takes_nothing(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    reserve(GroupCommit(store), placement("a", ("apple", 2)))

    assert reserve(GroupCommit(store), placement("a", ("apple", 2))) == ["found RESERVED"]
    assert levels(store, "apple") == [(5, 2, 3)]


def test_a_duplicate_in_a_pack_leaves_its_share_to_the_next(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 10)])
    reserve(GroupCommit(store), placement("a", ("apple", 5)))

    outcomes = reserve(GroupCommit(store), placement("a", ("apple", 5)), placement("b", ("apple", 5)))

    assert outcomes == ["found RESERVED", "RESERVED"]
    assert levels(store, "apple") == [(10, 10, 0)]


def test_what_is_not_sold_here_is_rejected_by_name(store_with: StoreWith) -> None:
    ledger = GroupCommit(store_with([a_stock("apple", 5)]))

    outcome = ledger.reserve([placement("a", ("apple", 1), ("ghost", 1))])[Key("default", "a")]

    assert isinstance(outcome, Committed)
    assert (outcome.order.reason, outcome.order.blamed) == ("unknown_sku", ("ghost",))


def test_two_currencies_in_one_order_are_rejected(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5), a_stock("pear", 5, currency="EUR")])

    assert reserve(GroupCommit(store), placement("a", ("apple", 1), ("pear", 1))) == ["currency_mismatch"]


def test_a_price_that_changed_since_it_was_last_seen_is_charged_as_it_is_now(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5, price=1_000)])
    ledger = GroupCommit(store)
    reserve(ledger, placement("a", ("apple", 1)))
    _reprice(store, 1_500)

    outcome = ledger.reserve([placement("b", ("apple", 2))])[Key("default", "b")]

    assert isinstance(outcome, Committed)
    assert outcome.order.amount_minor == 3_000


def _reprice(store: Store, price: int) -> None:
    from services.shared.adapters.dynamodb_store import DynamoDBStore  # noqa: PLC0415
    from services.shared.ledger import Price  # noqa: PLC0415
    from tests.support.fakes import MemoryStore  # noqa: PLC0415

    key = Key("default", "apple")
    if isinstance(store, MemoryStore):
        store.stock[key] = replace(store.stock[key], price=Price(price, "USD"))
    else:
        assert isinstance(store, DynamoDBStore)
        store.set_stock(key, price=Price(price, "USD"))


@pytest.mark.parametrize("orders", [1, 99, 250])
def test_a_batch_of_any_size_is_decided_whole(store_with: StoreWith, orders: int) -> None:
    store = store_with([a_stock(f"sku-{n}", 1_000) for n in range(40)])
    placements = [placement(f"o{n}", (f"sku-{n % 40}", 1)) for n in range(orders)]

    assert set(reserve(GroupCommit(store), *placements)) == {"RESERVED"}
    assert sum(reserved for _, reserved, _ in levels(store, *(f"sku-{n}" for n in range(40)))) == orders


def test_an_order_of_ninety_skus_fits(store_with: StoreWith) -> None:
    store = store_with([a_stock(f"sku-{n}", 2) for n in range(90)])
    wide = [placement(name, *((f"sku-{n}", 1) for n in range(90))) for name in ("a", "b", "c")]

    assert reserve(GroupCommit(store), *wide) == ["RESERVED", "RESERVED", "out_of_stock"]


def _reserved(ledger: GroupCommit, *placements: Placement) -> Sequence[Order]:
    outcomes = ledger.reserve(placements).values()
    return [outcome.order for outcome in outcomes if isinstance(outcome, Committed)]


def test_a_confirmed_order_takes_its_stock(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    [order] = _reserved(ledger, placement("a", ("apple", 2)))

    ledger.move([Move(order, order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1")))])

    assert levels(store, "apple") == [(3, 0, 3)]


def test_a_cancelled_order_gives_its_stock_back(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    [order] = _reserved(ledger, placement("a", ("apple", 2)))

    ledger.move([Move(order, order.moved(Status.CANCELLED, START, "late", reason="reservation_expired"))])

    assert levels(store, "apple") == [(5, 0, 5)]


def test_orders_that_end_differently_are_settled_together(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    paid, failed = _reserved(ledger, placement("a", ("apple", 2)), placement("b", ("apple", 1)))

    outcomes = ledger.move(
        [
            Move(paid, paid.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1"))),
            Move(failed, failed.moved(Status.CANCELLED, START, "failed", reason="payment_failed")),
        ]
    )

    assert all(isinstance(outcome, Committed) for outcome in outcomes.values())
    assert levels(store, "apple") == [(3, 0, 3)]


def test_only_the_first_of_two_ends_counts(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    [order] = _reserved(ledger, placement("a", ("apple", 2)))
    confirmed = order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1"))
    ledger.move([Move(order, confirmed)])

    expired = order.moved(Status.CANCELLED, START, "late", reason="reservation_expired")

    assert ledger.move([Move(order, expired)]) == {order.key: Found(confirmed)}
    assert levels(store, "apple") == [(3, 0, 3)]


@pytest.mark.parametrize(("restocked", "left"), [(True, (5, 0, 5)), (False, (3, 0, 3))])
def test_a_refund_restocks_only_when_asked(
    store_with: StoreWith, restocked: bool, left: tuple[int, int, int]
) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    [order] = _reserved(ledger, placement("a", ("apple", 2)))
    paid = order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1"))
    ledger.move([Move(order, paid)])

    refund = Refund("refund", 200, "requested", restocked=restocked)
    claimed = paid.moved(Status.CONFIRMED, START, "refund", payment=Payment("ch-1", refunds=(refund,)))
    ledger.move([Move(paid, claimed)])
    assert levels(store, "apple") == [(3, 0, 3)]
    made = Payment("ch-1", refunds=(replace(refund, id="re-1", at=START),))
    refunded = claimed.moved(Status.REFUNDED, START, "refund", payment=made)
    ledger.move([Move(claimed, refunded)])

    assert levels(store, "apple") == [left]


def test_units_that_came_back_do_not_come_back_again(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    ledger = GroupCommit(store)
    [order] = _reserved(ledger, placement("a", ("apple", 2)))
    order_paid = order.moved(Status.CONFIRMED, START, "paid", payment=Payment("ch-1"))
    ledger.move([Move(order, order_paid)])
    back = Refund("first", 100, "requested", restocked=True, id="re-1", at=START)
    part = order_paid.moved(Status.CONFIRMED, START, "first", payment=Payment("ch-1", refunds=(back,)))
    ledger.move([Move(order_paid, part)])
    rest = Payment("ch-1", refunds=(back, Refund("rest", 100, "requested", id="re-2", at=START)))
    ledger.move([Move(part, part.moved(Status.REFUNDED, START, "rest", payment=rest))])

    assert levels(store, "apple") == [(5, 0, 5)]


@pytest.mark.parametrize(("price", "currency"), [(10**9 + 1, "USD"), (100, "usd")])
def test_a_price_that_no_event_can_tell_sells_nothing(
    store_with: StoreWith, price: int, currency: str
) -> None:
    store = store_with([a_stock("apple", 5, price=price, currency=currency)])

    assert reserve(GroupCommit(store), placement("a", ("apple", 1))) == ["unknown_sku"]
    assert levels(store, "apple") == [(5, 0, 5)]
