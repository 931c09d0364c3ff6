"""Every series there is: what Prometheus calls it, and what CloudWatch has to be asked for it. Pure.

Built from the functions and tables that are deployed, so that a new one has its series by existing.
"""

from collections.abc import Iterator, Sequence

from services.metrics.deployed_resources import Deployment
from services.metrics.series import (
    CAPACITY,
    COUNT,
    MILLISECONDS,
    SECONDS,
    Catalog,
    CounterFamily,
    Family,
    GaugeFamily,
    HistogramFamily,
    Idle,
    Labels,
    Measure,
    Query,
    Series,
    Statistic,
    SummaryFamily,
)
from services.shared import events, histogram_buckets
from services.shared.metric_names import Metric, OrderOutcome, PaymentOutcome, StockOperation, StockOutcome


def catalog(deployment: Deployment) -> Catalog:
    """List the series of one deployment."""
    return Catalog(
        (
            *_orders(deployment.prefix),
            *_inventory(deployment.prefix),
            *_events(deployment),
            *_audit(deployment.prefix),
            *_lambda(deployment),
            *_sqs(deployment),
            *_dynamodb(deployment),
            *_eventbridge(deployment),
        )
    )


def _orders(own: str) -> Iterator[Family]:
    yield _counter(
        own,
        Metric.ORDERS,
        "Orders decided, by what became of them",
        _each("outcome", *OrderOutcome),
    )
    yield _counter(
        own,
        Metric.PAYMENTS,
        "Payments settled, by what became of them",
        _each("outcome", *PaymentOutcome),
    )
    yield _histogram(own, Metric.ORDER_PROCESSING, "From an order's batch to its decision")
    yield _histogram(own, Metric.PAYMENT_PROCESSING, "From a payment's batch to its settlement")
    yield _histogram(own, Metric.ORDER_SETTLEMENT, "From an order placed to its payment settled")


def _inventory(own: str) -> Iterator[Family]:
    refusals = ("out_of_stock", "unknown_sku", "currency_mismatch")
    yield _counter(
        own,
        Metric.INVENTORY_OPERATIONS,
        "What orders did to the stock, or why they could not",
        [
            (("operation", operation), ("outcome", outcome))
            for operation in StockOperation
            for outcome in (
                StockOutcome.DONE,
                StockOutcome.CONTENDED,
                *(refusals if operation is StockOperation.RESERVE else ()),
            )
        ],
    )
    yield _counter(
        own, Metric.INVENTORY_UNITS, "Units of stock that orders moved", _each("operation", *StockOperation)
    )
    yield _counter(
        own,
        Metric.CAPACITY_UNITS,
        "Capacity units that the order pipeline's own calls consumed",
        [
            (("table", table), ("kind", kind))
            for table in ("inventory", "orders")
            for kind in ("read", "write")
        ],
        CAPACITY,
    )


_PUBLISHED = (
    events.PaymentRequested,
    events.PaymentProcessed,
    events.PaymentFailed,
    events.OrderConfirmed,
    events.OrderRejected,
    events.OrderCancelled,
    events.RefundRequested,
    events.RefundProcessed,
)


def _events(deployment: Deployment) -> Iterator[Family]:
    own = deployment.prefix
    yield _counter(
        own,
        Metric.EVENTS_PUBLISHED,
        "Events that our functions published",
        _each("event", *(event.detail_type() for event in _PUBLISHED)),
    )
    yield _counter(
        own,
        Metric.POISON_EVENTS,
        "Messages set aside because no retry could help them",
        _each("consumer", *deployment.consumers),
    )


def _audit(own: str) -> Iterator[Family]:
    told = {
        "audit_reserved_drift_units": "Units by which stock and open orders differed at the last audit",
        "audit_overdue_reservations": "Reservations past their time at the last audit",
        "audit_unconfirmed_charges": "Charges without a confirmed order at the last audit",
        "audit_finished_timestamp_seconds": "When the last audit ended",
    }
    for name, text in told.items():
        query = Query(own, name, "Maximum")
        yield GaugeFamily(name, _told(text, query), (Series(name, (), query),), Idle.HELD)


def _lambda(deployment: Deployment) -> Iterator[Family]:
    def series(name: str, metric: str, statistic: Statistic, measure: Measure = COUNT) -> tuple[Series, ...]:
        return tuple(
            Series(
                name,
                (("function_name", function),),
                Query("AWS/Lambda", metric, statistic, (("FunctionName", function),)),
                measure,
            )
            for function in map(deployment.name, deployment.functions)
        )

    for name, metric, text in (
        ("aws_lambda_invocations_total", "Invocations", "Times a function ran"),
        ("aws_lambda_errors_total", "Errors", "Runs that raised or overstayed"),
        ("aws_lambda_throttles_total", "Throttles", "Runs refused for lack of concurrency"),
    ):
        yield _counter_of(name, text, series(name, metric, "Sum"))
    sums = series("aws_lambda_duration_seconds_sum", "Duration", "Sum", MILLISECONDS)
    counts = series("aws_lambda_duration_seconds_count", "Duration", "SampleCount")
    yield SummaryFamily(
        "aws_lambda_duration_seconds",
        _told("How long functions ran", sums[0].query, counts[0].query),
        tuple(zip(sums, counts, strict=True)),
    )
    longest = series("aws_lambda_duration_maximum_seconds", "Duration", "Maximum", MILLISECONDS)
    yield GaugeFamily(
        "aws_lambda_duration_maximum_seconds",
        _told("The longest run of the newest minute", longest[0].query),
        longest,
        Idle.ABSENT,
    )
    running = series("aws_lambda_concurrent_executions", "ConcurrentExecutions", "Maximum")
    yield GaugeFamily(
        "aws_lambda_concurrent_executions",
        _told("Runs side by side, at most, in the newest minute", running[0].query),
        running,
        Idle.ZERO,
    )


def _sqs(deployment: Deployment) -> Iterator[Family]:
    queues = [deployment.name(consumer) for consumer in deployment.consumers]
    with_dead_letters = [name for queue in queues for name in (queue, f"{queue}-dlq")]
    for name, metric, text, of in (
        (
            "aws_sqs_messages_visible",
            "ApproximateNumberOfMessagesVisible",
            "Messages that wait to be taken",
            with_dead_letters,
        ),
        (
            "aws_sqs_oldest_message_age_seconds",
            "ApproximateAgeOfOldestMessage",
            "Age of the oldest message",
            with_dead_letters,
        ),
        (
            "aws_sqs_messages_in_flight",
            "ApproximateNumberOfMessagesNotVisible",
            "Messages being worked on",
            queues,
        ),
        (
            "aws_sqs_messages_delayed",
            "ApproximateNumberOfMessagesDelayed",
            "Messages whose time has not come",
            queues,
        ),
    ):
        series = tuple(
            Series(name, (("queue", queue),), Query("AWS/SQS", metric, "Maximum", (("QueueName", queue),)))
            for queue in of
        )
        yield GaugeFamily(name, _told(text, series[0].query), series, Idle.ZERO)


def _dynamodb(deployment: Deployment) -> Iterator[Family]:
    for name, metric, text, measure in (
        (
            "aws_dynamodb_consumed_read_capacity_units_total",
            "ConsumedReadCapacityUnits",
            "Read units consumed by everyone",
            CAPACITY,
        ),
        (
            "aws_dynamodb_consumed_write_capacity_units_total",
            "ConsumedWriteCapacityUnits",
            "Write units consumed by everyone",
            CAPACITY,
        ),
        ("aws_dynamodb_read_throttle_events_total", "ReadThrottleEvents", "Reads refused for now", COUNT),
        ("aws_dynamodb_write_throttle_events_total", "WriteThrottleEvents", "Writes refused for now", COUNT),
        (
            "aws_dynamodb_transaction_conflicts_total",
            "TransactionConflict",
            "Item writes refused for a rival transaction",
            COUNT,
        ),
    ):
        series = tuple(
            Series(
                name,
                (("table_name", table),),
                Query("AWS/DynamoDB", metric, "Sum", (("TableName", table),)),
                measure,
            )
            for table in map(deployment.name, deployment.tables)
        )
        yield _counter_of(name, text, series)


def _eventbridge(deployment: Deployment) -> Iterator[Family]:
    for name, metric, text in (
        ("aws_events_invocations_total", "Invocations", "Events that a rule handed to its queue"),
        (
            "aws_events_failed_invocations_total",
            "FailedInvocations",
            "Events that a rule could not hand over",
        ),
    ):
        series = tuple(
            Series(
                name,
                (("rule", rule),),
                Query("AWS/Events", metric, "Sum", (("EventBusName", deployment.prefix), ("RuleName", rule))),
            )
            for rule in map(deployment.name, deployment.consumers)
        )
        yield _counter_of(name, text, series)


def _counter(
    own: str, name: str, text: str, labels: Sequence[Labels], measure: Measure = COUNT
) -> CounterFamily:
    return _counter_of(
        name, text, tuple(Series(name, each, Query(own, name, "Sum", each), measure) for each in labels)
    )


def _histogram(own: str, name: str, text: str) -> HistogramFamily:
    total = Query(own, name, "Sum")
    each = tuple(
        Series(f"{name}_bucket", (("le", le),), Query(own, f"{name}_bucket", "Sum", (("le", le),)))
        for le in histogram_buckets.NAMES
    )
    return HistogramFamily(
        name,
        _told(text, total, each[0].query),
        buckets=each,
        sum=Series(f"{name}_sum", (), total, SECONDS),
        count=Series(f"{name}_count", (), Query(own, name, "SampleCount")),
    )


def _counter_of(name: str, text: str, series: tuple[Series, ...]) -> CounterFamily:
    return CounterFamily(name, _told(text, series[0].query), series)


def _each(label: str, *values: str) -> list[Labels]:
    return [((label, value),) for value in values]


def _told(text: str, *queries: Query) -> str:
    return f"{text}. CloudWatch: {'; '.join(map(str, queries))}"
