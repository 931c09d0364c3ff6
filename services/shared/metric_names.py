"""Every metric name, label name and label value that GET /metrics serves, declared once.

Emitters, catalogue, rendering, dashboards and tools use these names; tests hold the alerting rules to them.
"""

from enum import StrEnum


class Metric(StrEnum):
    # counted by the services
    ORDERS = "orders_total"
    PAYMENTS = "payments_total"
    ORDER_PROCESSING = "order_processing_duration_seconds"
    PAYMENT_PROCESSING = "payment_processing_duration_seconds"
    ORDER_SETTLEMENT = "order_settlement_duration_seconds"
    IMPLAUSIBLE_TIMES = "order_placed_implausible_total"
    INVENTORY_OPERATIONS = "inventory_operations_total"
    INVENTORY_UNITS = "inventory_units_total"
    EVENTS_PUBLISHED = "events_published_total"
    POISON_EVENTS = "poison_events_total"
    CAPACITY_UNITS = "dynamodb_capacity_units_total"
    WEBHOOK_DELIVERIES = "webhook_deliveries_total"
    WEBHOOKS_DISABLED = "webhooks_disabled_total"

    # published by `pulsequeue audit`
    AUDIT_DRIFT = "audit_reserved_drift_units"
    AUDIT_OVERDUE = "audit_overdue_reservations"
    AUDIT_UNCONFIRMED = "audit_unconfirmed_charges"
    AUDIT_HELD_LONG = "audit_long_held_units"
    AUDIT_FINISHED = "audit_finished_timestamp_seconds"

    # AWS's own
    LAMBDA_INVOCATIONS = "aws_lambda_invocations_total"
    LAMBDA_ERRORS = "aws_lambda_errors_total"
    LAMBDA_THROTTLES = "aws_lambda_throttles_total"
    LAMBDA_DURATION = "aws_lambda_duration_seconds"
    LAMBDA_DURATION_MAXIMUM = "aws_lambda_duration_maximum_seconds"
    LAMBDA_CONCURRENT = "aws_lambda_concurrent_executions"
    SQS_VISIBLE = "aws_sqs_messages_visible"
    SQS_IN_FLIGHT = "aws_sqs_messages_in_flight"
    SQS_DELAYED = "aws_sqs_messages_delayed"
    SQS_OLDEST_AGE = "aws_sqs_oldest_message_age_seconds"
    DYNAMODB_CONSUMED_READ = "aws_dynamodb_consumed_read_capacity_units_total"
    DYNAMODB_CONSUMED_WRITE = "aws_dynamodb_consumed_write_capacity_units_total"
    DYNAMODB_READ_THROTTLES = "aws_dynamodb_read_throttle_events_total"
    DYNAMODB_WRITE_THROTTLES = "aws_dynamodb_write_throttle_events_total"
    DYNAMODB_CONFLICTS = "aws_dynamodb_transaction_conflicts_total"
    EVENTS_INVOCATIONS = "aws_events_invocations_total"
    EVENTS_FAILED = "aws_events_failed_invocations_total"

    # about the deployment and the metrics themselves
    INFO = "pulsequeue_info"
    FUNCTION_MEMORY = "pulsequeue_function_memory_bytes"
    RESERVATION_HOLD = "pulsequeue_reservation_hold_seconds"
    WATERMARK = "pulsequeue_metrics_watermark_timestamp_seconds"
    COLLECTED = "pulsequeue_metrics_collected_timestamp_seconds"
    COLLECTION_DURATION = "pulsequeue_metrics_collection_duration_seconds"
    SERIES = "pulsequeue_metrics_series"
    COLLECTIONS = "pulsequeue_metrics_collections_total"
    REQUESTED = "pulsequeue_metrics_requested_total"
    INCOMPLETE_READS = "pulsequeue_metrics_incomplete_reads_total"

    @property
    def bucket(self) -> str:
        return f"{self}_bucket"

    @property
    def sum(self) -> str:
        return f"{self}_sum"

    @property
    def observations(self) -> str:
        """The series of a histogram or summary that counts its observations."""
        return f"{self}_count"


class Label(StrEnum):
    OUTCOME = "outcome"
    OPERATION = "operation"
    EVENT = "event"
    """An event's detail type."""
    CONSUMER = "consumer"
    """The short name of a function behind a queue."""
    TABLE = "table"
    """The short name of a table."""
    KIND = "kind"
    BOUND = "le"
    FUNCTION_NAME = "function_name"
    QUEUE = "queue"
    TABLE_NAME = "table_name"
    RULE = "rule"
    ENVIRONMENT = "environment"
    REGION = "region"


class OrderOutcome(StrEnum):
    RESERVED = "reserved"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    CONFLICTED = "conflicted"
    """A different order under an existing id."""
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
    """How an operation on stock ended. A rejected reservation carries the order's own reason."""

    DONE = "done"
    REFUSED = "refused"
    CONTENDED = "contended"
    OUT_OF_STOCK = "out_of_stock"
    UNKNOWN_SKU = "unknown_sku"
    CURRENCY_MISMATCH = "currency_mismatch"
    PRICE_CHANGED = "price_changed"


REJECTIONS = (
    StockOutcome.OUT_OF_STOCK,
    StockOutcome.UNKNOWN_SKU,
    StockOutcome.CURRENCY_MISMATCH,
    StockOutcome.PRICE_CHANGED,
)


class WebhookOutcome(StrEnum):
    """How an attempt to deliver a message ended."""

    DELIVERED = "delivered"
    RETRYING = "retrying"
    FAILED = "failed"
    DROPPED = "dropped"


class Consumer(StrEnum):
    """The consumers that dashboards look at by name; the catalogue takes all of them from the deployment."""

    ORDER = "order"
    PAYMENT = "payment"


class CapacityTable(StrEnum):
    INVENTORY = "inventory"
    ORDERS = "orders"


class CapacityKind(StrEnum):
    READ = "read"
    WRITE = "write"


LABEL_VALUES: tuple[type[StrEnum], ...] = (
    OrderOutcome,
    PaymentOutcome,
    StockOperation,
    StockOutcome,
    WebhookOutcome,
    Consumer,
    CapacityTable,
    CapacityKind,
)
