"""Deliveries grouped by order, and explanations of invalid events."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.shared.events import OrderPlaced
from services.shared.messages import Group, by_order, explain
from tests.support.builders import a_key, cancellation, deliveries, payment_request, placed, placed_detail

# --- explanations -------------------------------------------------------------------------------------

SECRET = "Jane-Doe"


@pytest.mark.parametrize(
    "changed",
    [
        {"orderId": f"{SECRET}#1"},
        {"customerId": f"{SECRET}\n"},
        {"customerId": [SECRET]},
        {"occurredAt": SECRET},
        {"items": SECRET},
        {"items": [SECRET]},
        {"items": [{"sku": SECRET, "quantity": SECRET}]},
        {"items": [{"sku": SECRET, "quantity": 1_000_000}] * 2},
        {"items": [{"sku": f"{SECRET}-{n}", "quantity": 1} for n in range(91)]},
        {"region": {SECRET: SECRET}},
        {"schemaVersion": SECRET},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_explanation_never_repeats_what_the_event_said(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refusal:
        OrderPlaced.model_validate(placed_detail(**changed))

    explanation = explain(refusal.value)

    assert explanation
    assert SECRET not in explanation


def test_an_explanation_names_the_place_and_the_fault() -> None:
    with pytest.raises(ValidationError) as refusal:
        OrderPlaced.model_validate(placed_detail(items=[{"sku": "prod-001", "quantity": 0}]))

    assert explain(refusal.value) == "items.0.quantity: Input should be greater than or equal to 1"


def test_an_explanation_stops_after_five_faults() -> None:
    with pytest.raises(ValidationError) as refusal:
        OrderPlaced.model_validate(placed_detail(items=[{"sku": "", "quantity": 0}] * 10))

    assert explain(refusal.value).count(";") == 4


# --- groups -------------------------------------------------------------------------------------------


def test_deliveries_about_one_order_are_grouped_in_order_of_arrival() -> None:
    first, other, second = placed("order-1"), placed("order-2"), placed("order-1", quantity=2)

    groups = by_order(deliveries(first, other, second), OrderPlaced)

    assert groups == {
        a_key("order-1"): Group([first, second], {"m0", "m2"}),
        a_key("order-2"): Group([other], {"m1"}),
    }
    assert groups[a_key("order-1")].first == first


def test_deliveries_of_other_events_are_left_out_of_a_group() -> None:
    groups = by_order(deliveries(cancellation(), placed(), payment_request()), OrderPlaced)

    assert groups == {a_key("order-1"): Group([placed()], {"m1"})}


def test_one_order_id_of_two_tenants_is_two_orders() -> None:
    groups = by_order(deliveries(placed(), placed(tenantId="shop-2")), OrderPlaced)

    assert [key.tenant_id for key in groups] == ["default", "shop-2"]
