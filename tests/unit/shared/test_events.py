"""What may be on the bus, and what may not."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.shared.events import (
    CATALOGUE,
    MAX_LINES,
    MAX_QUANTITY,
    MAX_SKUS,
    Item,
    OrderPlaced,
    RefundRequested,
    by_name,
    event_id,
    rfc3339,
)
from tests.support.builders import placed_detail

PUBLISHERS_MINIMUM = {
    "orderId": "test-order-123",
    "customerId": "test-customer-123",
    "items": [{"sku": "prod-001", "quantity": 2}],
}


def faults(**changed: Any) -> list[tuple[tuple[int | str, ...], str]]:  # noqa: ANN401 - anything may be on the wire
    """Where and how a placed order with these changes fails to be one."""
    with pytest.raises(ValidationError) as refusal:
        OrderPlaced.model_validate(placed_detail(**changed))
    return [(fault["loc"], fault["type"]) for fault in refusal.value.errors()]


def places(**changed: Any) -> set[tuple[int | str, ...]]:  # noqa: ANN401 - as above
    return {place for place, _ in faults(**changed)}


def test_the_publishers_minimum_needs_only_the_id_and_time_of_its_envelope() -> None:
    event = OrderPlaced.model_validate(
        {"eventId": "evt-1", "occurredAt": "2026-01-31T12:00:00Z", **PUBLISHERS_MINIMUM}
    )

    assert event.order_id == "test-order-123"
    assert event.customer_id == "test-customer-123"
    assert event.items == (Item(sku="prod-001", quantity=2),)
    assert (event.tenant_id, event.schema_version) == ("default", 1)
    assert event.correlation_id == "test-order-123"


def test_a_publisher_may_choose_the_correlation_id() -> None:
    event = OrderPlaced.model_validate(placed_detail(correlationId="basket-9"))

    assert event.correlation_id == "basket-9"


def test_unknown_fields_are_ignored_at_every_level() -> None:
    event = OrderPlaced.model_validate(
        placed_detail(colour="red", items=[{"sku": "prod-001", "quantity": 2, "gift": True}])
    )

    assert event == OrderPlaced.model_validate(placed_detail())


def test_events_cannot_be_changed() -> None:
    event = OrderPlaced.model_validate(placed_detail())

    with pytest.raises(ValidationError, match="frozen"):
        event.order_id = "another"  # type: ignore[misc]


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, 2.0, "2", True, None, [2], MAX_QUANTITY + 1, 10**400, float("inf")]
)
def test_a_quantity_is_a_whole_number_from_one_to_a_million(quantity: object) -> None:
    assert places(items=[{"sku": "prod-001", "quantity": quantity}]) == {("items", 0, "quantity")}


def test_the_largest_quantity_is_allowed() -> None:
    event = OrderPlaced.model_validate(placed_detail(items=[{"sku": "prod-001", "quantity": MAX_QUANTITY}]))

    assert event.items[0].quantity == MAX_QUANTITY


@pytest.mark.parametrize("items", [[], None, "prod-001", 7, {}, {"sku": "prod-001", "quantity": 1}])
def test_items_are_a_list_of_at_least_one_line(items: object) -> None:
    assert places(items=items) == {("items",)}


def test_a_line_that_is_no_object_is_refused() -> None:
    assert places(items=["prod-001"]) == {("items", 0)}


@pytest.mark.parametrize("missing", ["eventId", "occurredAt", "orderId", "customerId", "items"])
def test_what_is_missing_is_named(missing: str) -> None:
    detail = placed_detail()
    del detail[missing]

    with pytest.raises(ValidationError) as refusal:
        OrderPlaced.model_validate(detail)

    assert (missing,) in {fault["loc"] for fault in refusal.value.errors()}


def test_ninety_skus_fit_in_an_order() -> None:
    items = [{"sku": f"sku-{n}", "quantity": 1} for n in range(MAX_SKUS)]

    assert len(OrderPlaced.model_validate(placed_detail(items=items)).items) == MAX_SKUS


def test_ninety_one_skus_do_not_fit_in_an_order() -> None:
    assert faults(items=[{"sku": f"sku-{n}", "quantity": 1} for n in range(MAX_SKUS + 1)]) == [
        ((), "value_error")
    ]


def test_a_thousand_lines_of_few_skus_fit_in_an_order() -> None:
    items = [{"sku": f"sku-{n % 3}", "quantity": 1} for n in range(MAX_LINES)]

    assert len(OrderPlaced.model_validate(placed_detail(items=items)).items) == MAX_LINES


def test_a_thousand_and_one_lines_do_not_fit_in_an_order() -> None:
    assert places(items=[{"sku": "sku-1", "quantity": 1}] * (MAX_LINES + 1)) == {("items",)}


def test_lines_of_one_sku_must_not_add_up_beyond_the_limit() -> None:
    assert faults(items=[{"sku": "sku-1", "quantity": MAX_QUANTITY}, {"sku": "sku-1", "quantity": 1}]) == [
        ((), "value_error")
    ]


def test_lines_of_one_sku_may_add_up_to_the_limit() -> None:
    items = [{"sku": "sku-1", "quantity": MAX_QUANTITY - 1}, {"sku": "sku-1", "quantity": 1}]

    assert len(OrderPlaced.model_validate(placed_detail(items=items)).items) == 2


BAD_IDENTIFIERS = [
    "",
    " ",
    "   ",
    "a#b",
    "#",
    "a\nb",
    "a\x00",
    "\x7f",
    "a\x85b",
    " a",
    "a ",
    "\ta",
    "a\u00a0",
    "x" * 129,
    "\ud800",
    7,
    1.5,
    True,
    None,
    ["a"],
    {"a": 1},
]


@pytest.mark.parametrize("bad", BAD_IDENTIFIERS, ids=ascii)
@pytest.mark.parametrize("field", ["orderId", "customerId", "tenantId", "eventId"])
def test_identifiers_are_short_visible_and_free_of_the_key_separator(field: str, bad: object) -> None:
    assert (field,) in places(**{field: bad})


@pytest.mark.parametrize("bad", BAD_IDENTIFIERS, ids=ascii)
def test_skus_are_identifiers_too(bad: object) -> None:
    assert places(items=[{"sku": bad, "quantity": 1}]) == {("items", 0, "sku")}


@pytest.mark.parametrize(
    "good", ["x", "x" * 128, "a b", "Größe-42", "日本", "order/1:2", "a\U0001f600"], ids=ascii
)
def test_any_other_visible_name_is_an_identifier(good: str) -> None:
    assert OrderPlaced.model_validate(placed_detail(orderId=good)).order_id == good


@pytest.mark.parametrize("bad", ["", "x" * 65, "a\nb", 7, False], ids=ascii)
@pytest.mark.parametrize("field", ["region", "channel", "paymentMethod"])
def test_labels_are_short_text_without_control_characters(field: str, bad: object) -> None:
    assert places(**{field: bad}) == {(field,)}


@pytest.mark.parametrize(
    "bad",
    [
        "2026-01-31T12:00:00",
        "2026-01-31",
        "12:00:00Z",
        "1769860800",
        1769860800,
        1769860800.5,
        True,
        None,
        "",
        "now",
        "2026-02-30T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-31T12:00:00+25:00",
    ],
)
def test_times_are_rfc_3339_with_an_offset(bad: object) -> None:
    assert places(occurredAt=bad) == {("occurredAt",)}


@pytest.mark.parametrize("bad", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_utc_cannot_express_is_refused(bad: str) -> None:
    assert places(placedAt=bad) == {("placedAt",)}


@pytest.mark.parametrize(
    "written",
    ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00z", "2026-01-31 12:00:00Z", "2026-01-31T14:00:00.000+02:00"],
)
def test_times_may_be_written_in_every_way_of_rfc_3339(written: str) -> None:
    event = OrderPlaced.model_validate(placed_detail(occurredAt=written))

    assert event.occurred_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_times_leave_in_utc_with_milliseconds() -> None:
    event = OrderPlaced.model_validate(placed_detail(occurredAt="2026-01-31T14:00:00.123456+02:00"))

    assert json.loads(event.wire())["occurredAt"] == "2026-01-31T12:00:00.123Z"
    assert rfc3339(event.occurred_at) == "2026-01-31T12:00:00.123Z"


@pytest.mark.parametrize("version", [0, -1, 1.0, "1", True])
def test_a_schema_version_is_a_positive_number(version: object) -> None:
    assert places(schemaVersion=version) == {("schemaVersion",)}


@pytest.mark.parametrize("restock", ["true", 1, None])
def test_restock_is_said_in_so_many_words(restock: object) -> None:
    with pytest.raises(ValidationError, match="restock"):
        RefundRequested.model_validate(placed_detail(restock=restock))


def test_the_wire_speaks_camel_case_and_leaves_out_what_is_not_known() -> None:
    event = OrderPlaced.model_validate(placed_detail(paymentMethod="sim_ok"))

    assert json.loads(event.wire()) == {
        "eventId": "evt-1",
        "correlationId": "test-order-123",
        "occurredAt": "2026-01-31T12:00:00.000Z",
        "tenantId": "default",
        "schemaVersion": 1,
        "orderId": "test-order-123",
        "customerId": "test-customer-123",
        "items": [{"sku": "prod-001", "quantity": 2}],
        "paymentMethod": "sim_ok",
    }


def test_event_ids_are_the_same_for_the_same_transition_and_differ_otherwise() -> None:
    names = {
        event_id("default", "order-1", "OrderCancelled", "cancelled"),
        event_id("default", "order-1", "OrderCancelled", "cancelled"),
        event_id("default", "order-1", "OrderCancelled", "declined"),
        event_id("default", "order-1", "OrderConfirmed", "cancelled"),
        event_id("default", "order-2", "OrderCancelled", "cancelled"),
        event_id("shop-2", "order-1", "OrderCancelled", "cancelled"),
    }

    assert len(names) == 5


def test_an_event_id_never_changes_between_releases() -> None:
    assert (
        event_id("default", "order-1", "OrderCancelled", "cancelled")
        == "a06149cd-9712-5562-a7a8-729505034b4c"
    )


def test_the_catalogue_finds_every_event_by_its_name_and_no_other() -> None:
    assert all(by_name(model.detail_type()) is model for model in CATALOGUE)
    assert {model.__name__ for model in CATALOGUE} == {
        "OrderPlaced",
        "PaymentRequested",
        "PaymentProcessed",
        "PaymentFailed",
        "OrderConfirmed",
        "OrderRejected",
        "OrderConflicted",
        "OrderCancelled",
        "OrderCancellationRequested",
        "RefundRequested",
        "RefundProcessed",
        "InventoryAdjusted",
        "SubscriptionStarted",
        "SubscriptionChanged",
        "SubscriptionCancelled",
    }
    assert by_name("Event") is None
