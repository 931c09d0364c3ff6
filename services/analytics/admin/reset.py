"""Empties the tables derived from events, before a replay."""

from typing import Final

from services.shared.database import Connection

DERIVED_TABLES: Final = (
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
    "channel_daily",
    "product_daily",
    "product_month",
    "customer_month",
    "mrr_month",
    "cohort_month",
    "cohort_revenue",
)


def empty(owner: Connection) -> None:
    """Empty the derived tables of every tenant; reference data, imported files and the audit log stay."""
    with owner.transaction():
        # An import writes its chunk first, and then the inbox.
        owner.execute("LOCK TABLE import_chunks IN SHARE ROW EXCLUSIVE MODE")
        # The projector begins with the inbox and ends with the checkpoints; the API begins with those.
        # To avoid a deadlock, wait for projecting transactions first, then for reading ones.
        owner.execute("LOCK TABLE event_inbox IN SHARE ROW EXCLUSIVE MODE")
        owner.execute(f"TRUNCATE {', '.join(DERIVED_TABLES)}".encode())
        owner.execute("UPDATE import_chunks SET applied = false WHERE applied")
