"""Ninety minutes of metrics as Prometheus would have recorded them: `local` is busy, `dev` is idle.

The numbers are round, so that a panel's expected value can be computed by hand.
"""

from collections.abc import Iterator, Mapping

START = 1_767_225_600
"""2026-01-01 00:00 UTC."""
MINUTES = 90
HOUR = 3600
END = START + MINUTES * 60
_SCRAPES_PER_MINUTE = 2

Series = Mapping[str, float]

FUNCTIONS = ("order", "payment", "expiry", "collector", "exposition")
CONSUMERS = FUNCTIONS[:3]
TABLES = ("inventory", "orders", "metrics")
_BOUNDS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.0", "5.0", "10.0", "+Inf")


def counters(environment: str) -> Series:
    """Growth per minute of each counter of the busy environment."""
    return {
        **_labelled(
            "orders_total", "outcome", reserved=57, rejected=3, duplicate=2, cancelled=5, expired=0.03
        ),
        **_labelled("payments_total", "outcome", succeeded=48, failed=12, refunded=1, duplicate=2),
        **_histogram("order_processing_duration_seconds", 60, 0.02, {"0.01": 0, "0.025": 54}),
        **_histogram("payment_processing_duration_seconds", 60, 0.3, {"0.25": 0, "0.5": 60}),
        # A hundredth of the settled orders takes longer than 5 s: just what the objective allows.
        **_histogram("order_settlement_duration_seconds", 60, 1.5, {"1.0": 0, "2.0": 59.4, "5.0": 59.4}),
        **_operations(),
        **_labelled("inventory_units_total", "operation", reserve=120, confirm=100, release=10, restock=2),
        **_labelled(
            "events_published_total",
            "event",
            PaymentRequested=57,
            PaymentProcessed=48,
            PaymentFailed=12,
            OrderConfirmed=48,
            OrderRejected=3,
            OrderCancelled=12,
            RefundRequested=1,
            RefundProcessed=1,
        ),
        **_labelled("poison_events_total", "consumer", order=0, payment=0, expiry=0),
        'dynamodb_capacity_units_total{table="inventory",kind="write"}': 60,
        'dynamodb_capacity_units_total{table="orders",kind="write"}': 240,
        'dynamodb_capacity_units_total{table="inventory",kind="read"}': 1,
        'dynamodb_capacity_units_total{table="orders",kind="read"}': 60,
        **_aws_counters(environment),
        "pulsequeue_metrics_collections_total": 1,
        "pulsequeue_metrics_requested_total": 100,
        "pulsequeue_metrics_incomplete_reads_total": 0,
    }


def gauges(environment: str) -> Series:
    queues = {
        f"{environment}-pulsequeue-{name}": depth for name, depth in zip(CONSUMERS, (7, 2, 0), strict=True)
    }
    dead = {f"{queue}-dlq": count for queue, count in zip(queues, (0, 3, 0), strict=True)}
    functions = [f"{environment}-pulsequeue-{name}" for name in FUNCTIONS]
    return {
        "up": 1,
        f'pulsequeue_info{{environment="{environment}",region="us-east-1"}}': 1,
        **{f'aws_sqs_messages_visible{{queue="{queue}"}}': depth for queue, depth in (queues | dead).items()},
        **{f'aws_sqs_oldest_message_age_seconds{{queue="{queue}"}}': 9 for queue in queues | dead},
        **{
            f'aws_sqs_messages_{state}{{queue="{queue}"}}': 1
            for state in ("in_flight", "delayed")
            for queue in queues
        },
        **{f'pulsequeue_function_memory_bytes{{function_name="{name}"}}': 2**29 for name in functions},
        **{f'aws_lambda_concurrent_executions{{function_name="{name}"}}': 1 for name in functions},
        **{f'aws_lambda_duration_maximum_seconds{{function_name="{name}"}}': 2 for name in functions},
        "pulsequeue_reservation_hold_seconds": 900,
        "pulsequeue_metrics_watermark_timestamp_seconds": END - HOUR,
        "pulsequeue_metrics_collected_timestamp_seconds": END - 45,
        "pulsequeue_metrics_collection_duration_seconds": 1,
        "pulsequeue_metrics_series": 300,
        "audit_reserved_drift_units": 0,
        "audit_overdue_reservations": 0,
        "audit_unconfirmed_charges": 0,
        "audit_long_held_units": 0,
        "audit_finished_timestamp_seconds": END - 600,
    }


def openmetrics() -> str:
    """Write both environments as a file that `promtool tsdb create-blocks-from openmetrics` takes."""
    return "\n".join([*_samples("local", 1), *_samples("dev", 0), "# EOF", ""])


def _samples(environment: str, pace: float) -> Iterator[str]:
    for series, per_minute in counters(environment).items():
        for scrape in range(MINUTES * _SCRAPES_PER_MINUTE + 1):
            # Counters grow by the minute, however often they are scraped.
            value = per_minute * pace * (scrape // _SCRAPES_PER_MINUTE)
            yield f"{_targeted(series, environment)} {value:.6f} {_at(scrape)}"
    for series, value in gauges(environment).items():
        for scrape in range(MINUTES * _SCRAPES_PER_MINUTE + 1):
            yield f"{_targeted(series, environment)} {value} {_at(scrape)}"


def _at(scrape: int) -> int:
    return START + scrape * 60 // _SCRAPES_PER_MINUTE


def _targeted(series: str, environment: str) -> str:
    """Add the labels that the scrape configuration gives a target."""
    name, _, labels = series.partition("{")
    own = labels.rstrip("}")
    target = f'job="pulsequeue",instance="metrics:443",environment="{environment}"'
    if 'environment="' in own:
        target = target.rpartition(",")[0]
    return f"{name}{{{','.join(filter(None, (own, target)))}}}"


def _labelled(metric: str, label: str, **values: float) -> Series:
    return {f'{metric}{{{label}="{value}"}}': growth for value, growth in values.items()}


def _histogram(metric: str, count: float, mean: float, steps: Mapping[str, float]) -> Series:
    """Cumulate: a bound that is not given has the value of the one before; the last has all."""
    series, below = {}, 0.0
    for bound in _BOUNDS:
        below = count if bound == "+Inf" else steps.get(bound, below)
        series[f'{metric}_bucket{{le="{bound}"}}'] = below
    return {**series, f"{metric}_sum": count * mean, f"{metric}_count": count}


def _operations() -> Series:
    done = {"reserve": 57.0, "confirm": 48.0, "release": 12.0, "restock": 1.0}
    refused = {"out_of_stock": 2.0, "unknown_sku": 1.0, "currency_mismatch": 0.0}
    return {
        f'inventory_operations_total{{operation="{operation}",outcome="{outcome}"}}': growth
        for operation, outcomes in {
            operation: {"done": growth, "contended": growth / 19} for operation, growth in done.items()
        }.items()
        for outcome, growth in (outcomes | (refused if operation == "reserve" else {})).items()
    }


def _aws_counters(environment: str) -> Series:
    functions = [f"{environment}-pulsequeue-{name}" for name in FUNCTIONS]
    calls = {
        "aws_lambda_invocations_total": 6,
        "aws_lambda_errors_total": 0,
        "aws_lambda_throttles_total": 0,
        "aws_lambda_duration_seconds_sum": 3,
        "aws_lambda_duration_seconds_count": 6,
    }
    tables = (
        "consumed_read_capacity_units",
        "consumed_write_capacity_units",
        "read_throttle_events",
        "write_throttle_events",
        "transaction_conflicts",
    )
    return {
        **{
            f'{metric}{{function_name="{name}"}}': growth
            for metric, growth in calls.items()
            for name in functions
        },
        **{
            f'aws_dynamodb_{what}_total{{table_name="{environment}-pulsequeue-{table}"}}': 0
            for what in tables
            for table in TABLES
        },
        **{
            f'aws_events_{what}_total{{rule="{environment}-pulsequeue-{name}"}}': 0
            for what in ("invocations", "failed_invocations")
            for name in CONSUMERS
        },
    }
