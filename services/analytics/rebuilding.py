"""Makes room for everything to be told anew."""

from typing import Final

from services.analytics.database import Connection

FOLLOWS_FROM_EVENTS: Final = (
    "event_inbox",
    "projection_checkpoints",
    "orders",
    "order_items",
    "payments",
    "fulfillment",
    "products",
    "subscriptions",
    "subscription_periods",
    "mrr_movements",
    "sales_daily",
    "product_daily",
    "customer_month",
    "mrr_month",
    "cohort_month",
)


def empty(owner: Connection) -> None:
    """Forget all that events told, of every tenant; what people brought in, and who read what, stays."""
    with owner.transaction():
        owner.execute(f"TRUNCATE {', '.join(FOLLOWS_FROM_EVENTS)}".encode())
