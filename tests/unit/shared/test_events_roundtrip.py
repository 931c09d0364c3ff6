"""Whatever an event says, it comes back from the wire as it left."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.shared.events import (
    CATALOGUE,
    Event,
    InventoryAdjusted,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderConflicted,
    OrderPlaced,
    OrderRejected,
    PaymentFailed,
    PaymentProcessed,
    PaymentRequested,
    RefundProcessed,
    RefundRequested,
    SubscriptionCancelled,
    SubscriptionChanged,
    SubscriptionStarted,
)
from tests.support.builders import identifiers, moments

texts = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40)
labels = st.none() | texts
amounts = st.integers(0, 10**15)
money = {"amount_minor": amounts, "currency": st.text("ABCXYZ", min_size=3, max_size=3)}
goods = st.fixed_dictionaries({"sku": identifiers, "quantity": st.integers(1, 10_000)})
priced_goods = st.fixed_dictionaries(
    {"sku": identifiers, "quantity": st.integers(1, 10_000), "unit_price_minor": st.integers(0, 10**9)}
)
envelopes = {
    "event_id": identifiers,
    "correlation_id": identifiers,
    "occurred_at": moments,
    "tenant_id": identifiers,
    "schema_version": st.integers(1, 9),
}
about_an_order = {**envelopes, "order_id": identifiers}
about_a_customer = {**about_an_order, "customer_id": identifiers}
about_a_subscription = {
    **envelopes,
    "subscription_id": identifiers,
    "customer_id": identifiers,
    "effective_at": st.none() | moments,
}
terms = {**money, "plan": texts, "interval": st.sampled_from(["month", "year"])}
FIELDS: dict[type[Event], dict[str, st.SearchStrategy[Any]]] = {
    OrderPlaced: {
        **about_a_customer,
        "items": st.lists(goods, min_size=1, max_size=3),
        "region": labels,
        "channel": labels,
        "payment_method": labels,
        "placed_at": st.none() | moments,
        "expected_amount_minor": st.none() | amounts,
        "cancellable_until": st.none() | moments,
    },
    PaymentRequested: {
        **about_a_customer,
        **money,
        "items": st.lists(priced_goods, max_size=3),
        "payment_method": labels,
        "placed_at": moments,
        "expires_at": moments,
    },
    PaymentProcessed: {**about_an_order, **money, "charge_id": texts},
    PaymentFailed: {**about_an_order, **money, "reason": texts},
    OrderConfirmed: {**about_a_customer, **money, "items": st.lists(priced_goods, max_size=3)},
    OrderConflicted: {
        **about_a_customer,
        "placed_event_id": identifiers,
        "differences": st.lists(st.sampled_from(["customer", "items", "payment_method"]), max_size=3),
    },
    OrderRejected: {
        **about_a_customer,
        "reason": st.sampled_from(["out_of_stock", "unknown_sku", "currency_mismatch", "price_changed"]),
        "skus": st.lists(identifiers, max_size=3),
    },
    OrderCancelled: {
        **about_a_customer,
        "reason": st.sampled_from(["payment_failed", "reservation_expired", "customer_request"]),
    },
    OrderCancellationRequested: {**about_an_order, "reason": labels},
    RefundRequested: {
        **about_an_order,
        "amount_minor": st.none() | st.integers(1, 10**12),
        "restock": st.booleans(),
        "reason": labels,
    },
    RefundProcessed: {
        **about_an_order,
        **money,
        "charge_id": texts,
        "refund_id": texts,
        "restocked": st.booleans(),
        "reason": texts,
    },
    InventoryAdjusted: {
        **envelopes,
        "sku": identifiers,
        "delta": st.integers(-1000, 1000),
        "stock": amounts,
        "available": amounts,
        "unit_price_minor": amounts,
        "currency": money["currency"],
        "name": labels,
    },
    SubscriptionStarted: {**about_a_subscription, **terms},
    SubscriptionChanged: {**about_a_subscription, **terms},
    SubscriptionCancelled: {**about_a_subscription, "reason": labels},
}


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_every_event_comes_back_from_the_wire_as_it_left(model: type[Event], data: st.DataObject) -> None:
    event = model.model_validate(data.draw(st.fixed_dictionaries(FIELDS[model])))

    wire = json.loads(event.wire())

    assert model.model_validate(wire) == event
    assert all("_" not in name for name in wire)
    assert wire["occurredAt"].endswith("Z")
