"""The recount finds what is wrong, all of it, and nothing else."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.ops.reconcile.reconcile import audit
from scripts.ops.reconcile.rules import Kind, recount
from services.shared.ledger import Key, Line, Order, Payment, Price, Status, Stock, Transition
from tests.support.fakes import START, a_stock
from tests.support.ops_context import MemoryOpsContext, MemoryOpsStore, an_order

SKUS = ("a", "b", "c")
ENDS = (None, Status.CONFIRMED, Status.CANCELLED, Status.REFUNDED, Status.REJECTED)


def _ended(order: Order, end: Status | None) -> Order:
    match end:
        case None:
            return order
        case Status.CONFIRMED:
            return order.moved(end, START, "e", payment=Payment(charge_id="ch"))
        case Status.REFUNDED:
            confirmed = _ended(order, Status.CONFIRMED)
            return confirmed.moved(end, START, "f", payment=Payment(charge_id="ch", refund_id="re"))
        case Status.CANCELLED:
            return order.moved(end, START, "e", reason="customer_request")
        case _:
            history = (Transition(Status.REJECTED, START, "e"),)
            return replace(order, status=end, reason="out_of_stock", history=history, expires_at=None)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Order], dict[str, Stock]]:
    """Any orders in any state, and exactly the stock that goes with them."""
    orders = []
    for number in range(draw(st.integers(0, 8))):
        lines = draw(
            st.dictionaries(st.sampled_from(SKUS), st.integers(1, 5), min_size=1).map(
                lambda wanted: tuple(Line(sku, quantity, 7) for sku, quantity in wanted.items())
            )
        )
        amount = sum(line.quantity * 7 for line in lines)
        order = replace(an_order(f"o-{number}"), lines=lines, amount_minor=amount)
        orders.append(_ended(order, draw(st.sampled_from(ENDS))))
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


@given(worlds())
def test_books_that_agree_yield_no_finding(world: tuple[list[Order], dict[str, Stock]]) -> None:
    orders, stocks = world

    findings = recount(orders, stocks.values(), START)

    assert findings.all == ()
    assert (findings.orders, findings.skus) == (len(orders), len(SKUS))


@given(worlds(), st.sampled_from(SKUS), st.integers(-5, 5).filter(bool))
def test_a_reservation_that_leaked_is_found_on_its_sku_alone(
    world: tuple[list[Order], dict[str, Stock]], sku: str, leak: int
) -> None:
    orders, stocks = world
    true = stocks[sku]
    stocks[sku] = replace(true, reserved=true.reserved + leak, available=true.available - leak)

    findings = recount(orders, stocks.values(), START)

    assert {finding.key.id for finding in findings.all} == {sku}
    assert Kind.RESERVED in {finding.kind for finding in findings.all}


@given(worlds(), st.sampled_from(SKUS), st.integers(1, 5))
def test_available_that_is_not_stock_less_reserved_is_found(
    world: tuple[list[Order], dict[str, Stock]], sku: str, drift: int
) -> None:
    orders, stocks = world
    stocks[sku] = replace(stocks[sku], available=stocks[sku].available + drift)

    findings = recount(orders, stocks.values(), START)

    assert [(finding.kind, finding.key.id) for finding in findings.all] == [(Kind.AVAILABLE, sku)]


@given(worlds(), st.data())
def test_the_order_in_which_things_are_scanned_does_not_matter(
    world: tuple[list[Order], dict[str, Stock]], data: st.DataObject
) -> None:
    orders, stocks = world
    wrong = [replace(stock, reserved=stock.reserved + 1) for stock in stocks.values()]
    shuffled = data.draw(st.permutations(orders)), data.draw(st.permutations(wrong))

    assert set(recount(*shuffled, START).all) == set(recount(orders, wrong, START).all)


@given(worlds(), st.data())
def test_an_order_that_vanished_while_it_held_stock_is_found(
    world: tuple[list[Order], dict[str, Stock]], data: st.DataObject
) -> None:
    orders, stocks = world
    reserved = [order for order in orders if order.status is Status.RESERVED]
    if not reserved:
        return
    lost = data.draw(st.sampled_from(reserved))
    orders.remove(lost)

    findings = recount(orders, stocks.values(), START)

    assert {finding.key.id for finding in findings.all} == {line.sku for line in lost.lines}


def test_a_sku_that_open_orders_hold_and_nobody_knows_is_found() -> None:
    findings = recount([an_order(sku="ghost")], [], START)

    assert [(finding.kind, finding.key.id) for finding in findings.all] == [(Kind.MISSING, "ghost")]


def test_a_reservation_is_overdue_only_after_the_grace() -> None:
    order = an_order()
    stock = [a_stock(stock=10)]
    stock[0] = replace(stock[0], reserved=2, available=8)
    assert order.expires_at is not None
    grace = timedelta(seconds=30)

    in_time = recount([order], stock, order.expires_at + grace, grace)
    late = recount([order], stock, order.expires_at + grace + timedelta(seconds=1), grace)

    assert in_time.all == ()
    assert [finding.kind for finding in late.all] == [Kind.OVERDUE]


SETTLED = an_order().moved(Status.CONFIRMED, START, "e", payment=Payment(charge_id="ch"))
CANCELLED = an_order().moved(Status.CANCELLED, START, "e", reason="customer_request")
WRONG = {
    "began as CONFIRMED": replace(SETTLED, history=SETTLED.history[1:]),
    "went from CANCELLED to CONFIRMED": CANCELLED.moved(
        Status.CONFIRMED, START, "x", payment=Payment(charge_id="ch")
    ),
    "has no history": replace(CANCELLED, history=()),
    "is CONFIRMED, its history ends RESERVED": replace(SETTLED, history=SETTLED.history[:1]),
    "has no items": replace(CANCELLED, lines=(), amount_minor=0),
    "names a SKU twice": replace(CANCELLED, lines=CANCELLED.lines * 2, amount_minor=4_000),
    "amounts to 1, its items to 2000": replace(CANCELLED, amount_minor=1),
    "is confirmed without a charge": replace(SETTLED, payment=None),
    "is confirmed, yet refunded": replace(SETTLED, payment=Payment(charge_id="ch", refund_id="re")),
    "is cancelled without a reason": replace(CANCELLED, reason=None),
    "has no currency": replace(CANCELLED, currency=None),
    "is refunded without a charge or a refund": SETTLED.moved(Status.REFUNDED, START, "x"),
}


@pytest.mark.parametrize("says", WRONG)
def test_an_order_in_an_impossible_shape_is_found(says: str) -> None:
    findings = recount([WRONG[says]], [], START)

    assert (Kind.SHAPE, says) in [(finding.kind, finding.says) for finding in findings.all]


def test_a_charge_of_a_cancelled_order_that_was_not_given_back_is_found() -> None:
    charged = replace(CANCELLED, payment=Payment(charge_id="ch"))
    given_back = replace(CANCELLED, payment=Payment(charge_id="ch", refund_id="re"))

    assert [finding.kind for finding in recount([charged], [], START).all] == [Kind.CHARGED]
    assert recount([given_back], [], START).all == ()


# --- of a system that moves --------------------------------------------------------------------------


class BusyBooks(MemoryOpsStore):
    """Between the reading of one thing and the next, something happens."""

    def __init__(self, stocks: list[Stock], moves: int) -> None:
        super().__init__(stocks)
        self.moves = moves

    def read_stock(self, keys: Collection[Key]) -> Mapping[Key, Stock]:
        seen = super().read_stock(keys)
        if self.moves:
            self.moves -= 1
            key, stock = next(iter(self.stock.items()))
            self.stock[key] = replace(stock, stock=stock.stock + 1, available=stock.available + 1)
        return seen


def _leaky(moves: int = 0) -> MemoryOpsContext:
    ops = MemoryOpsContext()
    ops.store = BusyBooks([replace(a_stock(stock=10), reserved=3, available=7)], moves)
    return ops


def test_a_leak_that_stays_is_reported() -> None:
    report = audit(_leaky())

    assert [finding.kind for finding in report.findings.all] == [Kind.RESERVED]
    assert report.moving == ()


def test_what_was_only_caught_in_motion_is_not_reported() -> None:
    ops = _leaky()
    ops.while_asleep = [an_order(quantity=3)]

    assert audit(ops).findings.all == ()


def test_a_leak_is_reported_once_its_sku_holds_still() -> None:
    assert [finding.kind for finding in audit(_leaky(moves=3)).findings.all] == [Kind.RESERVED]


def test_of_a_sku_that_never_holds_still_nothing_is_claimed() -> None:
    report = audit(_leaky(moves=100))

    assert report.findings.all == ()
    assert report.moving == (Key("default", "prod-001"),)


def test_an_overdue_order_that_was_released_meanwhile_is_not_reported() -> None:
    ops = MemoryOpsContext([replace(a_stock(stock=10), reserved=2, available=8)])
    order = an_order()
    ops.holds(order)
    ops.time.advance(timedelta(hours=1))
    ops.while_asleep = [order.moved(Status.CANCELLED, START, "x", reason="reservation_expired")]
    ops.store.stock[Key("default", "prod-001")] = replace(a_stock(stock=10), reserved=2, available=8)

    report = audit(ops)

    assert not [finding for finding in report.findings.all if finding.kind is Kind.OVERDUE]
