"""Reconciliation finds every inconsistency, and reports nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.order.consistency import Kind, Reconciliation, find_discrepancies
from services.order.reconcile import gauges, reconcile
from services.shared.ledger import Key, Line, Order, Payment, Price, Refund, Status, Stock, Transition
from services.shared.metric_names import Metric
from tests.support.builders import reserved
from tests.support.fakes import START, a_stock
from tests.support.ops_context import MemoryOpsContext, MemoryOpsStore, an_order

SKUS = ("a", "b", "c")
ENDS = (None, Status.CONFIRMED, Status.CANCELLED, Status.REFUNDED, Status.REJECTED)


def _settled(order: Order, end: Status | None) -> Order:
    match end:
        case None:
            return order
        case Status.CONFIRMED:
            return order.moved(end, START, "e", payment=Payment(charge_id="ch"))
        case Status.REFUNDED:
            confirmed = _settled(order, Status.CONFIRMED)
            refund = Refund("r", order.amount_minor, "broken", id="re", at=START)
            return confirmed.moved(end, START, "f", payment=Payment("ch", refunds=(refund,)))
        case Status.CANCELLED:
            return order.moved(end, START, "e", reason="customer_request")
        case _:
            history = (Transition(Status.REJECTED, START, "e"),)
            return replace(order, status=end, reason="out_of_stock", history=history, expires_at=None)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Order], dict[str, Stock]]:
    """Draw orders in any state, and the stock that is consistent with them."""
    orders = []
    for number in range(draw(st.integers(0, 8))):
        lines = draw(
            st.dictionaries(st.sampled_from(SKUS), st.integers(1, 5), min_size=1).map(
                lambda items: tuple(Line(sku, quantity, 7) for sku, quantity in items.items())
            )
        )
        amount = sum(line.quantity * 7 for line in lines)
        order = replace(an_order(f"o-{number}"), lines=lines, amount_minor=amount)
        orders.append(_settled(order, draw(st.sampled_from(ENDS))))
    stocks = {}
    for sku in SKUS:
        held = sum(
            line.quantity
            for order in orders
            if order.status is Status.RESERVED
            for line in order.lines
            if line.sku == sku
        )
        left = draw(st.integers(0, 20))
        stocks[sku] = Stock(Key("default", sku), held + left, held, left, Price(7, "USD"))
    return orders, stocks


@given(tables())
def test_consistent_tables_have_no_discrepancy(rows: tuple[list[Order], dict[str, Stock]]) -> None:
    orders, stocks = rows

    result = find_discrepancies(orders, stocks.values(), START)

    assert result.discrepancies == ()
    assert (result.orders, result.skus) == (len(orders), len(SKUS))


@given(tables(), st.sampled_from(SKUS), st.integers(-5, 5).filter(bool))
def test_a_leaked_reservation_is_reported_for_its_sku_alone(
    rows: tuple[list[Order], dict[str, Stock]], sku: str, leak: int
) -> None:
    orders, stocks = rows
    true = stocks[sku]
    stocks[sku] = replace(true, reserved=true.reserved + leak, available=true.available - leak)

    result = find_discrepancies(orders, stocks.values(), START)

    assert {discrepancy.key.id for discrepancy in result.discrepancies} == {sku}
    assert Kind.RESERVED in {discrepancy.kind for discrepancy in result.discrepancies}


@given(tables(), st.sampled_from(SKUS), st.integers(1, 5))
def test_available_that_is_not_stock_less_reserved_is_found(
    rows: tuple[list[Order], dict[str, Stock]], sku: str, drift: int
) -> None:
    orders, stocks = rows
    stocks[sku] = replace(stocks[sku], available=stocks[sku].available + drift)

    result = find_discrepancies(orders, stocks.values(), START)

    assert [(discrepancy.kind, discrepancy.key.id) for discrepancy in result.discrepancies] == [
        (Kind.AVAILABLE, sku)
    ]


@given(tables(), st.data())
def test_the_order_in_which_things_are_scanned_does_not_matter(
    rows: tuple[list[Order], dict[str, Stock]], data: st.DataObject
) -> None:
    orders, stocks = rows
    wrong = [replace(stock, reserved=stock.reserved + 1) for stock in stocks.values()]
    shuffled = data.draw(st.permutations(orders)), data.draw(st.permutations(wrong))

    assert set(find_discrepancies(*shuffled, START).discrepancies) == set(
        find_discrepancies(orders, wrong, START).discrepancies
    )


@given(tables(), st.data())
def test_an_order_that_vanished_while_it_held_stock_is_found(
    rows: tuple[list[Order], dict[str, Stock]], data: st.DataObject
) -> None:
    orders, stocks = rows
    reserved = [order for order in orders if order.status is Status.RESERVED]
    if not reserved:
        return
    lost = data.draw(st.sampled_from(reserved))
    orders.remove(lost)

    result = find_discrepancies(orders, stocks.values(), START)

    assert {discrepancy.key.id for discrepancy in result.discrepancies} == {line.sku for line in lost.lines}


def test_a_reserved_sku_that_does_not_exist_is_found() -> None:
    result = find_discrepancies([an_order(sku="ghost")], [], START)

    assert [(discrepancy.kind, discrepancy.key.id) for discrepancy in result.discrepancies] == [
        (Kind.MISSING, "ghost")
    ]


def test_a_reservation_is_overdue_only_after_the_grace() -> None:
    order = an_order()
    stock = [a_stock(stock=10)]
    stock[0] = replace(stock[0], reserved=2, available=8)
    assert order.expires_at is not None
    grace = timedelta(seconds=30)

    in_time = find_discrepancies([order], stock, order.expires_at + grace, grace)
    late = find_discrepancies([order], stock, order.expires_at + grace + timedelta(seconds=1), grace)

    assert in_time.discrepancies == ()
    assert [discrepancy.kind for discrepancy in late.discrepancies] == [Kind.OVERDUE]


SETTLED = an_order().moved(Status.CONFIRMED, START, "e", payment=Payment(charge_id="ch"))
CANCELLED = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
WRONG = {
    "started as CONFIRMED": replace(SETTLED, history=SETTLED.history[1:]),
    "went from CANCELLED to CONFIRMED": CANCELLED.moved(
        Status.CONFIRMED, START, "x", payment=Payment(charge_id="ch")
    ),
    "has no history": replace(CANCELLED, history=()),
    "is CONFIRMED, but its history ends with RESERVED": replace(SETTLED, history=SETTLED.history[:1]),
    "has no items": replace(CANCELLED, lines=(), amount_minor=0),
    "lists a SKU twice": replace(CANCELLED, lines=CANCELLED.lines * 2, amount_minor=4_000),
    "has the amount 1, but its items add up to 2000": replace(CANCELLED, amount_minor=1),
    "is confirmed without a charge": replace(SETTLED, payment=None),
    "is confirmed but refunded": replace(
        SETTLED, payment=Payment("ch", refunds=(Refund("r", 2_000, "broken", id="re", at=START),))
    ),
    "is cancelled without a reason": replace(CANCELLED, reason=None),
    "has no currency": replace(CANCELLED, currency=None),
    "is refunded without a charge, or not wholly": SETTLED.moved(Status.REFUNDED, START, "x"),
    "gives back 2500 of 2000": replace(
        SETTLED, payment=Payment("ch", refunds=(Refund("r", 2_000, "a"), Refund("s", 500, "b")))
    ),
}


@pytest.mark.parametrize("message", WRONG)
def test_an_order_in_an_impossible_shape_is_found(message: str) -> None:
    result = find_discrepancies([WRONG[message]], [], START)

    assert (Kind.SHAPE, message) in [
        (discrepancy.kind, discrepancy.message) for discrepancy in result.discrepancies
    ]


def test_a_paid_order_of_which_a_part_was_given_back_is_as_it_should_be() -> None:
    payment = Payment(
        "ch", refunds=(Refund("r", 500, "broken", id="re", at=START), Refund("s", 1_500, "late"))
    )
    order = SETTLED.moved(Status.CONFIRMED, START, "r", payment=payment)

    assert find_discrepancies([order], [], START).discrepancies == ()


def test_a_charge_of_a_cancelled_order_without_a_refund_is_found() -> None:
    charged = replace(CANCELLED, payment=Payment(charge_id="ch"))
    refunded = replace(
        CANCELLED, payment=Payment("ch", refunds=(Refund("r", 2_000, "broken", id="re", at=START),))
    )

    assert [discrepancy.kind for discrepancy in find_discrepancies([charged], [], START).discrepancies] == [
        Kind.CHARGED
    ]
    assert find_discrepancies([refunded], [], START).discrepancies == ()


def test_a_refund_that_was_promised_and_not_made_is_found_after_an_hour() -> None:
    made, owed = Refund("r", 500, "broken", id="re", at=START), Refund("s", 700, "late")
    promised = SETTLED.moved(Status.CONFIRMED, START, "s", payment=Payment("ch", refunds=(made, owed)))
    kept = replace(promised, payment=Payment("ch", refunds=(made,)))

    def found(order: Order, after: timedelta) -> list[tuple[Kind, str]]:
        return [(it.kind, it.message) for it in find_discrepancies([order], [], START + after).discrepancies]

    assert found(promised, timedelta(hours=1)) == []
    assert found(promised, timedelta(hours=1, seconds=1)) == [
        (Kind.UNREFUNDED, f"700 USD set aside for refunds at {START:%Y-%m-%d %H:%M:%S}, not given back")
    ]
    assert found(kept, timedelta(days=9)) == []


def test_units_that_wait_for_bank_transfers_are_no_leak_until_their_time_is_over() -> None:
    usual, transfer = reserved("usual", {"prod-001": 2}), reserved("transfer", {"prod-001": 3, "prod-002": 4})
    transfer = replace(transfer, expires_at=START + timedelta(days=3))

    def held_long(now: datetime) -> float:
        return gauges(find_discrepancies([usual, transfer], [], now), now)[Metric.AUDIT_HELD_LONG]

    assert (held_long(START), held_long(START + timedelta(days=3, seconds=1))) == (7, 0)


def test_what_is_owed_to_customers_is_one_gauge() -> None:
    charged = replace(CANCELLED, payment=Payment(charge_id="ch"))
    promised = SETTLED.moved(
        Status.CONFIRMED, START, "s", payment=Payment("ch", refunds=(Refund("s", 700, "late"),))
    )
    now = START + timedelta(hours=2)

    levels = gauges(find_discrepancies([charged, promised], [], now), now)

    assert levels[Metric.AUDIT_UNCONFIRMED] == 2


# --- a system in motion --------------------------------------------------------------------------


class BusyStore(MemoryOpsStore):
    """A store whose stock changes with each read, `moves` times."""

    def __init__(self, stocks: list[Stock], moves: int) -> None:
        super().__init__(stocks)
        self.moves = moves

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        stock_before = super().read_stock(keys)
        if self.moves:
            self.moves -= 1
            key, stock = next(iter(self.stock.items()))
            self.stock[key] = replace(stock, stock=stock.stock + 1, available=stock.available + 1)
        return stock_before


def _leaky(moves: int = 0) -> MemoryOpsContext:
    ops = MemoryOpsContext()
    ops.store = BusyStore([replace(a_stock(stock=10), reserved=3, available=7)], moves)
    return ops


def _reconcile(ops: MemoryOpsContext) -> Reconciliation:
    return reconcile(ops.store, ops.clock)


def test_a_leak_that_stays_is_reported() -> None:
    result = _reconcile(_leaky())

    assert [discrepancy.kind for discrepancy in result.discrepancies] == [Kind.RESERVED]
    assert result.moving == ()


def test_a_difference_that_disappears_is_not_reported() -> None:
    ops = _leaky()
    ops.while_asleep = [an_order(quantity=3)]

    assert reconcile(ops.store, ops.clock).discrepancies == ()


def test_a_leak_is_reported_once_its_sku_stops_changing() -> None:
    assert [discrepancy.kind for discrepancy in _reconcile(_leaky(moves=3)).discrepancies] == [Kind.RESERVED]


def test_a_sku_that_keeps_changing_is_not_judged() -> None:
    result = _reconcile(_leaky(moves=100))

    assert result.discrepancies == ()
    assert result.moving == (Key("default", "prod-001"),)


def test_an_overdue_order_that_was_released_meanwhile_is_not_reported() -> None:
    ops = MemoryOpsContext([replace(a_stock(stock=10), reserved=2, available=8)])
    order = an_order()
    ops.add_orders(order)
    ops.time.advance(timedelta(hours=1))
    ops.while_asleep = [order.moved(Status.CANCELLED, START, "x", reason="reservation_expired")]
    ops.store.stock[Key("default", "prod-001")] = replace(a_stock(stock=10), reserved=2, available=8)

    result = reconcile(ops.store, ops.clock)

    assert not [discrepancy for discrepancy in result.discrepancies if discrepancy.kind is Kind.OVERDUE]
