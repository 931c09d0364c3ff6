"""Orders and stock as items, and back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.shared.adapters.dynamodb_items import order_item, order_of, stock_item, stock_of
from services.shared.ledger import Key, Line, Order, Payment, Price, Refund, Status, Stock, Transition
from tests.support.builders import HOLD, identifiers, moments, reserved
from tests.support.fakes import START

keys = st.builds(Key, identifiers, identifiers)
numbers = st.integers(0, 10**12)
texts = st.text(min_size=1, max_size=20)
stocks = st.builds(
    Stock, keys, numbers, numbers, numbers, st.builds(Price, numbers, st.just("USD")), st.none() | texts
)
refunds = st.builds(Refund, texts, numbers, texts, st.booleans()) | st.builds(
    Refund, texts, numbers, texts, st.booleans(), texts, moments
)
payments = st.builds(
    Payment,
    st.none() | texts,
    st.none() | texts,
    st.lists(refunds, max_size=3).map(tuple),
    st.none() | texts,
    st.booleans(),
)
histories = st.lists(
    st.builds(Transition, st.sampled_from(Status), moments, identifiers), min_size=1, max_size=4
).map(tuple)
about = {
    "key": keys,
    "status": st.sampled_from(Status),
    "customer_id": identifiers,
    "placed_at": moments,
    "history": histories,
    "payment_method": st.none() | texts,
    "expires_at": st.none() | moments,
    "reason": st.none() | texts,
    "blamed": st.lists(identifiers, max_size=3).map(tuple),
    "payment": st.none() | payments,
}
priced_orders = st.builds(
    Order,
    **about,
    lines=st.lists(st.builds(Line, identifiers, numbers, numbers), max_size=3).map(tuple),
    amount_minor=numbers,
    currency=st.just("USD"),
)
unpriced_orders = st.builds(
    Order, **about, lines=st.lists(st.builds(Line, identifiers, numbers), max_size=3).map(tuple)
)


@given(priced_orders | unpriced_orders)
@settings(max_examples=60)
def test_an_order_comes_back_from_the_table_as_it_went(order: Order) -> None:
    assert order_of(order_item(order)) == order


@given(stocks)
@settings(max_examples=60)
def test_stock_comes_back_from_the_table_as_it_went(stock: Stock) -> None:
    assert stock_of(stock_item(stock)) == stock


@given(keys)
@settings(max_examples=30)
def test_a_key_comes_back_from_its_text(key: Key) -> None:
    assert Key.of(key.pk) == key


def test_a_refund_of_an_older_release_is_read_as_one_of_the_whole_payment() -> None:
    item = order_item(reserved())
    old = {"chargeId": "ch-1", "refundId": "re-1", "refundReason": "broken"}
    item["payment"] = {
        "M": {name: {"S": value} for name, value in old.items()} | {"restocked": {"BOOL": True}}
    }

    payment = order_of(item).payment

    assert payment == Payment("ch-1", refunds=(Refund("", 1_000, "broken", True, "re-1", START),))
    assert (payment.refunded_minor, payment.restocked) == (1_000, True)


def test_numbers_and_texts_are_kept_as_what_they_are() -> None:
    item = order_item(reserved())

    assert item["amountMinor"] == {"N": "1000"}
    assert item["version"] == {"N": "1"}
    assert item["placedAt"] == {"S": "2026-01-31T12:00:00.000Z"}
    assert item["pk"] == {"S": "default#order-1"}


def test_what_is_not_known_takes_no_room() -> None:
    assert not {"reason", "payment", "blamed", "paymentMethod"} & order_item(reserved()).keys()


def counted_bytes(attribute: Any) -> int:  # noqa: ANN401 - any attribute value
    """The size of an attribute value by the rules of DynamoDB's documentation."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return len(value.lstrip("-").strip("0")) // 2 + 2
        case "M":
            return 3 + sum(len(name) + counted_bytes(inner) + 1 for name, inner in value.items())
        case "L":
            return 3 + sum(counted_bytes(inner) + 1 for inner in value)
        case _:
            return 1


def test_a_usual_order_costs_one_write_unit_to_the_end() -> None:
    order = reserved("00000000-0000-4000-8000-000000000001", {"prod-001": 2})
    settled = order.moved(
        Status.CONFIRMED, START + timedelta(seconds=2), str(UUID(int=2)), payment=Payment("ch_" + "0" * 20)
    )
    usual = Order(
        key=settled.key,
        status=settled.status,
        customer_id=str(UUID(int=3)),
        lines=settled.lines,
        placed_at=START,
        history=(Transition(Status.RESERVED, START, str(UUID(int=1))), settled.history[-1]),
        amount_minor=123_456,
        currency="USD",
        payment_method="sim_ok",
        expires_at=START + HOLD,
        payment=settled.payment,
    )

    size = sum(len(name) + counted_bytes(attribute) for name, attribute in order_item(usual).items())

    assert size < 1_024
