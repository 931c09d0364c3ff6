"""Events about stock correlate by what they are about, as events about orders do."""

from services.shared.events import InventoryAdjusted


def test_a_stock_event_need_not_repeat_its_sku_as_the_correlation_id() -> None:
    actual = {"sku": "apple", "delta": 1, "stock": 1, "available": 1, "unitPriceMinor": 1, "currency": "USD"}
    envelope = {"eventId": "e", "occurredAt": "2026-01-31T12:00:00Z"}

    assert InventoryAdjusted.model_validate({**envelope, **actual}).correlation_id == "apple"
    given = InventoryAdjusted.model_validate({**envelope, **actual, "correlationId": "recount-7"})
    assert given.correlation_id == "recount-7"
