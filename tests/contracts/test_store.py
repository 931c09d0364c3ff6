"""What every store must do, the fake one like the real one."""

from dataclasses import replace
from datetime import timedelta

from services.shared.ledger import (
    Delta,
    Key,
    Line,
    Order,
    OrderWrite,
    Passed,
    Payment,
    Price,
    Refund,
    Refused,
    Status,
    StockWrite,
    Transition,
)
from tests.contracts.conftest import StoreWith
from tests.support.fakes import START, a_stock

APPLE = Key("default", "apple")


def an_order(name: str = "order-1") -> Order:
    return Order(
        key=Key("default", name),
        status=Status.RESERVED,
        customer_id="customer-1",
        lines=(Line("apple", 2, 1_000),),
        placed_at=START,
        history=(Transition(Status.RESERVED, START, "event-1"),),
        amount_minor=2_000,
        currency="USD",
        payment_method="sim_ok",
        expires_at=START + timedelta(minutes=15),
    )


def test_a_transaction_applies_all_its_writes(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 5)])
    order = an_order()

    verdicts = store.transact(
        [OrderWrite(None, order), StockWrite(APPLE, Delta(reserved=2, available=-2), Price(1_000, "USD"))]
    )

    assert verdicts == ()
    assert store.read_orders([order.key]) == {order.key: order}
    assert store.read_stock([APPLE])[APPLE] == replace(a_stock("apple", 5), reserved=2, available=3)


def test_a_transaction_that_is_refused_anywhere_applies_nothing(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 1)])
    order = an_order()

    verdicts = store.transact(
        [OrderWrite(None, order), StockWrite(APPLE, Delta(reserved=2, available=-2), Price(1_000, "USD"))]
    )

    assert verdicts == [Passed(), Refused(a_stock("apple", 1))]
    assert store.read_orders([order.key]) == {}
    assert store.read_stock([APPLE])[APPLE] == a_stock("apple", 1)


def test_every_refused_write_of_a_transaction_is_told_with_what_is_there(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 3)])
    store.transact([OrderWrite(None, an_order())])

    verdicts = store.transact(
        [
            OrderWrite(None, an_order()),
            OrderWrite(None, an_order("order-2")),
            StockWrite(APPLE, Delta(reserved=4, available=-4)),
            StockWrite(Key("default", "ghost"), Delta(reserved=1, available=-1)),
        ]
    )

    assert verdicts == [Refused(an_order()), Passed(), Refused(a_stock("apple", 3)), Refused(None)]


def test_a_write_at_another_price_is_refused(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 3, price=1_200)])

    verdicts = store.transact([StockWrite(APPLE, Delta(reserved=1, available=-1), Price(1_000, "USD"))])

    assert verdicts == [Refused(a_stock("apple", 3, price=1_200))]


def test_a_write_in_another_currency_is_refused(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 3, currency="EUR")])

    verdicts = store.transact([StockWrite(APPLE, Delta(reserved=1, available=-1), Price(1_000, "USD"))])

    assert verdicts == [Refused(a_stock("apple", 3, currency="EUR"))]


def test_no_number_goes_below_zero(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 3)])

    for delta in (Delta(stock=-4), Delta(reserved=-1), Delta(available=-4)):
        assert store.transact([StockWrite(APPLE, delta)]) == [Refused(a_stock("apple", 3))]


def test_all_that_is_available_can_be_taken(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple", 3)])

    assert store.transact([StockWrite(APPLE, Delta(reserved=3, available=-3))]) == ()


def test_an_order_moves_on_from_the_state_it_was_read_in(store_with: StoreWith) -> None:
    store = store_with([])
    before = an_order()
    after = before.moved(Status.CONFIRMED, START, "event-2", payment=Payment(charge_id="ch-1"))
    store.transact([OrderWrite(None, before)])

    assert store.transact([OrderWrite(before, after)]) == ()
    assert store.read_orders([before.key]) == {before.key: after}


def test_an_order_that_moved_on_meanwhile_stays_where_it_is(store_with: StoreWith) -> None:
    store = store_with([])
    before = an_order()
    confirmed = before.moved(Status.CONFIRMED, START, "event-2", payment=Payment(charge_id="ch-1"))
    store.transact([OrderWrite(None, before)])
    store.transact([OrderWrite(before, confirmed)])

    late = before.moved(Status.CANCELLED, START, "event-3", reason="reservation_expired")

    assert store.transact([OrderWrite(before, late)]) == [Refused(confirmed)]


LATE = Refund("ch-1", 2_000, "late", id="re-1", at=START)


def test_an_order_that_changed_within_its_state_is_not_the_one_that_was_read(store_with: StoreWith) -> None:
    store = store_with([])
    cancelled = an_order().moved(Status.CANCELLED, START, "event-2", reason="customer_request")
    noted = cancelled.moved(Status.CANCELLED, START, "event-3", payment=Payment("ch-1", refunds=(LATE,)))
    store.transact([OrderWrite(None, cancelled)])
    store.transact([OrderWrite(cancelled, noted)])

    assert store.transact([OrderWrite(cancelled, noted)]) == [Refused(noted)]


def test_an_order_comes_back_as_it_was_written(store_with: StoreWith) -> None:
    store = store_with([])
    rejected = replace(
        an_order(),
        status=Status.REJECTED,
        lines=(Line("apple", 2), Line("pear", 1)),
        history=(Transition(Status.REJECTED, START, "event-1"),),
        amount_minor=0,
        currency=None,
        payment_method=None,
        expires_at=None,
        reason="out_of_stock",
        blamed=("pear",),
    )
    refunded = replace(
        an_order("order-2"),
        status=Status.REFUNDED,
        payment=Payment(
            "ch-1",
            refunds=(
                Refund("request-1", 300, "broken on arrival", restocked=True, id="re-1", at=START),
                Refund("request-2", 200, "late"),
            ),
            pending=True,
        ),
    )

    store.transact([OrderWrite(None, rejected), OrderWrite(None, refunded)])

    assert store.read_orders([rejected.key, refunded.key]) == {
        rejected.key: rejected,
        refunded.key: refunded,
    }


def test_more_items_than_fit_one_read_are_all_read(store_with: StoreWith) -> None:
    stocks = {stock.key: stock for stock in (a_stock(f"sku-{n}", n) for n in range(130))}
    store = store_with(stocks.values())

    assert store.read_stock(list(stocks)) == stocks


def test_what_is_not_there_is_not_read(store_with: StoreWith) -> None:
    store = store_with([a_stock("apple")])

    assert store.read_stock([Key("default", "pear")]) == {}
    assert store.read_stock([Key("other", "apple")]) == {}
    assert store.read_orders([Key("default", "order-1")]) == {}
