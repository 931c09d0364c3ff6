"""Cost of the pipeline: counters multiplied by list prices.

Prices come from scripts/cost/prices.py; run `pulsequeue grafana build` after a change there.

Not included, because no metric counts it: log ingestion and storage, the monthly price of custom metrics,
table storage and backups, the event archive, the API gateway.
"""

from collections.abc import Mapping

from scripts.cost import prices
from scripts.grafana.promql import WORK_QUEUES, Change, Expression, gauge, plus, times, within
from scripts.grafana.slo_queries import placed
from services.shared.events import PaymentRequested, RefundRequested
from services.shared.metric_names import CapacityKind, Label, Metric

LAMBDA_GB_SECOND = prices.LAMBDA_GB_SECOND.each
LAMBDA_REQUEST = prices.LAMBDA_REQUEST.each
EVENTBRIDGE_EVENT = prices.EVENTBRIDGE_EVENT.each
SQS_REQUEST = prices.SQS_REQUEST.each
DYNAMODB_WRITE_UNIT = prices.DYNAMODB_WRITE_UNIT.each
DYNAMODB_READ_UNIT = prices.DYNAMODB_READ_UNIT.each
CLOUDWATCH_METRIC_REQUESTED = prices.METRIC_REQUESTED.each

SQS_REQUESTS_PER_MESSAGE = 3
"""Send, receive, delete. An upper bound: Lambda receives and deletes up to ten at a time."""
SQS_POLLS_PER_SECOND = 5 / 20
"""Lambda keeps five long polls of 20 seconds open on an idle queue."""


def gb_seconds(change: Change, *matchers: str) -> Expression:
    """Memory times duration of each function."""
    both = f"{Label.ENVIRONMENT}, {Label.FUNCTION_NAME}"
    seconds = change(Metric.LAMBDA_DURATION.sum, *matchers, by=both)
    memory = gauge(Metric.FUNCTION_MEMORY, *matchers, how="max", by=both)
    return f"sum by ({Label.FUNCTION_NAME}) ({seconds} * on ({both}) {memory}) / {prices.GIB}"


def components(change: Change, seconds: Expression) -> Mapping[str, Expression]:
    """Cost of each part of the pipeline over `seconds`; with `rate`, one second."""
    return {
        "Lambda compute": times(f"sum ({gb_seconds(change)})", LAMBDA_GB_SECOND),
        "Lambda requests": times(change(Metric.LAMBDA_INVOCATIONS), LAMBDA_REQUEST),
        "EventBridge": times(f"({plus(placed(change), change(Metric.EVENTS_PUBLISHED))})", EVENTBRIDGE_EVENT),
        "SQS (estimate)": times(f"({_sqs_requests(change, seconds)})", SQS_REQUEST),
        "DynamoDB writes": times(_capacity(change, CapacityKind.WRITE), DYNAMODB_WRITE_UNIT),
        "DynamoDB reads": times(_capacity(change, CapacityKind.READ), DYNAMODB_READ_UNIT),
        "CloudWatch": times(change(Metric.REQUESTED), CLOUDWATCH_METRIC_REQUESTED),
    }


def total(change: Change, seconds: Expression) -> Expression:
    return plus(*components(change, seconds).values())


def _sqs_requests(change: Change, seconds: Expression) -> Expression:
    # A payment request goes to two queues: payment now, and expiry when the hold ends.
    requested = change(Metric.EVENTS_PUBLISHED, within(Label.EVENT, PaymentRequested.detail_type()))
    refunds = change(Metric.EVENTS_PUBLISHED, within(Label.EVENT, RefundRequested.detail_type()))
    messages = f"({plus(placed(change), times(requested, 2), refunds)})"
    queues = f"count ({gauge(Metric.SQS_IN_FLIGHT, WORK_QUEUES, how='max', by=Label.QUEUE)})"
    polls = times(times(queues, SQS_POLLS_PER_SECOND), seconds)
    return plus(times(messages, SQS_REQUESTS_PER_MESSAGE), polls)


def _capacity(change: Change, kind: CapacityKind) -> Expression:
    return change(Metric.CAPACITY_UNITS, within(Label.KIND, kind))
