"""Makes room for everything to be told anew."""

from typing import Final

from services.analytics.db.database import Connection

FOLLOWS_FROM_EVENTS: Final = (
    "projection_checkpoints",
    "event_inbox",
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
        # Whoever projects begins with the inbox and ends with the checkpoints; whoever answers begins with
        # these. So that nobody waits in a circle, the former are let finish before the latter.
        owner.execute("LOCK TABLE event_inbox IN SHARE ROW EXCLUSIVE MODE")
        owner.execute(f"TRUNCATE {', '.join(FOLLOWS_FROM_EVENTS)}".encode())
