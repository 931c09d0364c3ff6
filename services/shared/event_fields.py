"""What the events about an order have in common. Pure: the same order gives the same facts, ids included."""

from datetime import datetime
from typing import Any

from services.shared.events import OrderEvent, PricedItem, event_id
from services.shared.ledger import Order


def event_fields(order: Order, event: type[OrderEvent], transition: str, at: datetime) -> dict[str, Any]:
    """Say which order the event is about, which transition it tells, and when that was."""
    return {
        "event_id": event_id(*order.key, event.detail_type(), transition),
        "correlation_id": order.key.id,
        "occurred_at": at,
        "tenant_id": order.key.tenant_id,
        "order_id": order.key.id,
    }


def priced_items(order: Order) -> tuple[PricedItem, ...]:
    return tuple(
        PricedItem(sku=line.sku, quantity=line.quantity, unit_price_minor=line.unit_price_minor)
        for line in order.lines
    )
