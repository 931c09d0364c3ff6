"""The event of a changed stock, the same whoever changed it."""

from datetime import datetime

from services.shared.events import InventoryAdjusted
from services.shared.ledger import Stock


def inventory_adjusted(stock: Stock, delta: int, event_id: str, at: datetime) -> InventoryAdjusted:
    return InventoryAdjusted(
        event_id=event_id,
        correlation_id=stock.key.id,
        occurred_at=at,
        tenant_id=stock.key.tenant_id,
        sku=stock.key.id,
        delta=delta,
        stock=stock.stock,
        available=stock.available,
        unit_price_minor=stock.price.minor,
        currency=stock.price.currency,
        name=stock.name,
    )
