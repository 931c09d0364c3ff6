"""Every metric name and label value of our own, declared once for emitters, catalog, dashboards and rules."""

from enum import StrEnum


class Metric(StrEnum):
    ORDERS = "orders_total"
    PAYMENTS = "payments_total"
    ORDER_PROCESSING = "order_processing_duration_seconds"
    PAYMENT_PROCESSING = "payment_processing_duration_seconds"
    ORDER_SETTLEMENT = "order_settlement_duration_seconds"
    INVENTORY_OPERATIONS = "inventory_operations_total"
    INVENTORY_UNITS = "inventory_units_total"
    EVENTS_PUBLISHED = "events_published_total"
    POISON_EVENTS = "poison_events_total"
    CAPACITY_UNITS = "dynamodb_capacity_units_total"


class OrderOutcome(StrEnum):
    RESERVED = "reserved"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUNDED = "refunded"
    DUPLICATE = "duplicate"


class StockOperation(StrEnum):
    RESERVE = "reserve"
    CONFIRM = "confirm"
    RELEASE = "release"
    RESTOCK = "restock"


class StockOutcome(StrEnum):
    """How an operation on stock ended; one that was rejected carries the order's own reason instead."""

    DONE = "done"
    REFUSED = "refused"
    CONTENDED = "contended"
