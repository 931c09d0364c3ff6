"""Every series there is: its Prometheus name and its CloudWatch query. Pure.

Built from the deployed functions and tables, so a new one gets its series without further work.
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
from services.shared.metric_names import (
    REJECTIONS,
    CapacityKind,
    CapacityTable,
    Label,
    Metric,
    OrderOutcome,
    PaymentOutcome,
    StockOperation,
    StockOutcome,
    WebhookOutcome,
)


def catalog(deployment: Deployment) -> Catalog:
    """List the series of one deployment."""
    return Catalog(
        (
            *_orders(deployment.prefix),
            *_inventory(deployment.prefix),
            *_events(deployment),
            *_webhooks(deployment.prefix),
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
        "Orders decided, by outcome",
        _each(Label.OUTCOME, *OrderOutcome),
    )
    yield _counter(
        own,
        Metric.PAYMENTS,
        "Payments settled, by outcome",
        _each(Label.OUTCOME, *PaymentOutcome),
    )
    yield _histogram(own, Metric.ORDER_PROCESSING, "From receiving an order to its decision")
    yield _histogram(own, Metric.PAYMENT_PROCESSING, "From receiving a payment to its settlement")
    yield _histogram(own, Metric.ORDER_SETTLEMENT, "From placing an order to settling its payment")
    yield _counter(
        own,
        Metric.IMPLAUSIBLE_TIMES,
        "Orders settled whose time of placement is more than a week away, left out of the settlement time",
        [()],
    )


def _inventory(own: str) -> Iterator[Family]:
    yield _counter(
        own,
        Metric.INVENTORY_OPERATIONS,
        "Operations on stock, by outcome",
        [
            ((Label.OPERATION, operation), (Label.OUTCOME, outcome))
            for operation in StockOperation
            for outcome in (
                StockOutcome.DONE,
                StockOutcome.CONTENDED,
                *(REJECTIONS if operation is StockOperation.RESERVE else ()),
            )
        ],
    )
    yield _counter(
        own,
        Metric.INVENTORY_UNITS,
        "Units of stock moved",
        _each(Label.OPERATION, *StockOperation),
    )
    yield _counter(
        own,
        Metric.CAPACITY_UNITS,
        "Capacity units consumed by the order pipeline's own calls",
        [((Label.TABLE, table), (Label.KIND, kind)) for table in CapacityTable for kind in CapacityKind],
        CAPACITY,
    )


_PUBLISHED = (
    events.OrderPlaced,
    events.OrderCancellationRequested,
    events.SubscriptionStarted,
    events.SubscriptionChanged,
    events.SubscriptionCancelled,
    events.PaymentRequested,
    events.PaymentProcessed,
    events.PaymentFailed,
    events.PaymentAnswered,
    events.OrderConfirmed,
    events.OrderRejected,
    events.OrderConflicted,
    events.OrderCancelled,
    events.RefundRequested,
    events.RefundProcessed,
)


def _events(deployment: Deployment) -> Iterator[Family]:
    own = deployment.prefix
    yield _counter(
        own,
        Metric.EVENTS_PUBLISHED,
        "Events published by the functions",
        _each(Label.EVENT, *(event.detail_type() for event in _PUBLISHED)),
    )
    yield _counter(
        own,
        Metric.POISON_EVENTS,
        "Messages sent to a dead-letter queue because they cannot be read",
        _each(Label.CONSUMER, *deployment.consumers),
    )


def _webhooks(own: str) -> Iterator[Family]:
    yield _counter(
        own,
        Metric.WEBHOOK_DELIVERIES,
        "Attempts to deliver a message to a webhook, by outcome",
        _each(Label.OUTCOME, *WebhookOutcome),
    )
    yield _counter(
        own, Metric.WEBHOOKS_DISABLED, "Webhooks disabled because they were gone or failed for a week", [()]
    )


def _audit(own: str) -> Iterator[Family]:
    for name, text in (
        (
            Metric.AUDIT_DRIFT,
            "Units by which reserved stock differs from open reservations",
        ),
        (Metric.AUDIT_OVERDUE, "Reservations past their expiry that are still open"),
        (Metric.AUDIT_UNCONFIRMED, "Charges without a confirmed order"),
        (Metric.AUDIT_HELD_LONG, "Units in open reservations whose payments take days"),
        (Metric.AUDIT_FINISHED, "When the last audit ended; the audit_* gauges are as of then"),
    ):
        query = Query(own, name, "Maximum")
        yield GaugeFamily(name, _help(text, query), (Series(name, (), query),), Idle.HELD)


def _lambda(deployment: Deployment) -> Iterator[Family]:
    def series(name: str, metric: str, statistic: Statistic, measure: Measure = COUNT) -> tuple[Series, ...]:
        return tuple(
            Series(
                name,
                ((Label.FUNCTION_NAME, function),),
                Query("AWS/Lambda", metric, statistic, (("FunctionName", function),)),
                measure,
            )
            for function in map(deployment.name, deployment.functions)
        )

    for name, metric, text in (
        (Metric.LAMBDA_INVOCATIONS, "Invocations", "Invocations of a function"),
        (Metric.LAMBDA_ERRORS, "Errors", "Invocations that raised or timed out"),
        (Metric.LAMBDA_THROTTLES, "Throttles", "Invocations throttled for lack of concurrency"),
    ):
        yield _counter_of(name, text, series(name, metric, "Sum"))
    sums = series(Metric.LAMBDA_DURATION.sum, "Duration", "Sum", MILLISECONDS)
    counts = series(Metric.LAMBDA_DURATION.observations, "Duration", "SampleCount")
    yield SummaryFamily(
        Metric.LAMBDA_DURATION,
        _help("Duration of invocations", sums[0].query, counts[0].query),
        tuple(zip(sums, counts, strict=True)),
    )
    longest = series(Metric.LAMBDA_DURATION_MAXIMUM, "Duration", "Maximum", MILLISECONDS)
    yield GaugeFamily(
        Metric.LAMBDA_DURATION_MAXIMUM,
        _help("Longest invocation of the newest minute", longest[0].query),
        longest,
        Idle.ABSENT,
    )
    running = series(Metric.LAMBDA_CONCURRENT, "ConcurrentExecutions", "Maximum")
    yield GaugeFamily(
        Metric.LAMBDA_CONCURRENT,
        _help("Most concurrent executions in the newest minute", running[0].query),
        running,
        Idle.ZERO,
    )


def _sqs(deployment: Deployment) -> Iterator[Family]:
    queues = [deployment.name(consumer) for consumer in deployment.consumers]
    with_dlqs = [name for queue in queues for name in (queue, f"{queue}-dlq")]
    for name, metric, text, of in (
        (
            Metric.SQS_VISIBLE,
            "ApproximateNumberOfMessagesVisible",
            "Messages waiting to be received",
            with_dlqs,
        ),
        (
            Metric.SQS_OLDEST_AGE,
            "ApproximateAgeOfOldestMessage",
            "Age of the oldest message",
            with_dlqs,
        ),
        (
            Metric.SQS_IN_FLIGHT,
            "ApproximateNumberOfMessagesNotVisible",
            "Messages being processed",
            queues,
        ),
        (
            Metric.SQS_DELAYED,
            "ApproximateNumberOfMessagesDelayed",
            "Delayed messages",
            queues,
        ),
    ):
        series = tuple(
            Series(
                name, ((Label.QUEUE, queue),), Query("AWS/SQS", metric, "Maximum", (("QueueName", queue),))
            )
            for queue in of
        )
        yield GaugeFamily(name, _help(text, series[0].query), series, Idle.ZERO)


def _dynamodb(deployment: Deployment) -> Iterator[Family]:
    for name, metric, text, measure in (
        (
            Metric.DYNAMODB_CONSUMED_READ,
            "ConsumedReadCapacityUnits",
            "Read units consumed by all clients",
            CAPACITY,
        ),
        (
            Metric.DYNAMODB_CONSUMED_WRITE,
            "ConsumedWriteCapacityUnits",
            "Write units consumed by all clients",
            CAPACITY,
        ),
        (Metric.DYNAMODB_READ_THROTTLES, "ReadThrottleEvents", "Reads throttled", COUNT),
        (Metric.DYNAMODB_WRITE_THROTTLES, "WriteThrottleEvents", "Writes throttled", COUNT),
        (
            Metric.DYNAMODB_CONFLICTS,
            "TransactionConflict",
            "Item writes refused because of a conflicting transaction",
            COUNT,
        ),
    ):
        series = tuple(
            Series(
                name,
                ((Label.TABLE_NAME, table),),
                Query("AWS/DynamoDB", metric, "Sum", (("TableName", table),)),
                measure,
            )
            for table in map(deployment.name, deployment.tables)
        )
        yield _counter_of(name, text, series)


def _eventbridge(deployment: Deployment) -> Iterator[Family]:
    for name, metric, text in (
        (Metric.EVENTS_INVOCATIONS, "Invocations", "Events that a rule delivered to its queue"),
        (
            Metric.EVENTS_FAILED,
            "FailedInvocations",
            "Events that a rule could not deliver",
        ),
    ):
        series = tuple(
            Series(
                name,
                ((Label.RULE, rule),),
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


def _histogram(own: str, name: Metric, text: str) -> HistogramFamily:
    total = Query(own, name, "Sum")
    each = tuple(
        Series(name.bucket, ((Label.BOUND, le),), Query(own, name.bucket, "Sum", ((Label.BOUND, le),)))
        for le in histogram_buckets.NAMES
    )
    return HistogramFamily(
        name,
        _help(text, total, each[0].query),
        buckets=each,
        sum=Series(name.sum, (), total, SECONDS),
        count=Series(name.observations, (), Query(own, name, "SampleCount")),
    )


def _counter_of(name: str, text: str, series: tuple[Series, ...]) -> CounterFamily:
    return CounterFamily(name, _help(text, series[0].query), series)


def _each(label: str, *values: str) -> list[Labels]:
    return [((label, value),) for value in values]


def _help(text: str, *queries: Query) -> str:
    return f"{text}. CloudWatch: {'; '.join(map(str, queries))}"
