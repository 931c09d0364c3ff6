"""What the pipeline costs, from what was counted and list prices.

Prices are those of scripts/cost/prices.py: after a change there, `pulsequeue grafana build` writes the
dashboard anew.

Left out, because nothing counted here says how much of it there is: log ingestion and storage, custom
metrics as such (a fixed sum per series and month), table storage and backups, the event archive, the gateway.
"""

from collections.abc import Mapping

from scripts.cost import prices
from scripts.grafana.promql import CONSUMED, Change, Expression, gauge, plus, series, times, within
from scripts.grafana.slo_queries import placed

LAMBDA_GB_SECOND = prices.LAMBDA_GB_SECOND.each
LAMBDA_REQUEST = prices.LAMBDA_REQUEST.each
EVENTBRIDGE_EVENT = prices.EVENTBRIDGE_EVENT.each
SQS_REQUEST = prices.SQS_REQUEST.each
DYNAMODB_WRITE_UNIT = prices.DYNAMODB_WRITE_UNIT.each
DYNAMODB_READ_UNIT = prices.DYNAMODB_READ_UNIT.each
CLOUDWATCH_METRIC_REQUESTED = prices.METRIC_REQUESTED.each

SQS_REQUESTS_PER_MESSAGE = 3
"""Sent, received, deleted. An upper bound: Lambda receives and deletes up to ten at a time."""
SQS_POLLS_PER_SECOND = 5 / 20
"""Lambda keeps five long polls of 20 seconds open on a queue where nothing happens."""


def gb_seconds(change: Change, *matchers: str) -> Expression:
    """Say how much memory each function held for how long."""
    both = "environment, function_name"
    seconds = change("aws_lambda_duration_seconds_sum", *matchers, by=both)
    memory = gauge("pulsequeue_function_memory_bytes", *matchers, how="max", by=both)
    return f"sum by (function_name) ({seconds} * on ({both}) {memory}) / {prices.GIB}"


def components(change: Change, seconds: Expression) -> Mapping[str, Expression]:
    """Price each part of the pipeline, over `seconds` of time; with `rate` that is one second."""
    return {
        "Lambda compute": times(f"sum ({gb_seconds(change)})", LAMBDA_GB_SECOND),
        "Lambda requests": times(change("aws_lambda_invocations_total"), LAMBDA_REQUEST),
        "EventBridge": times(
            f"({plus(placed(change), change('events_published_total'))})", EVENTBRIDGE_EVENT
        ),
        "SQS (estimate)": times(f"({_sqs_requests(change, seconds)})", SQS_REQUEST),
        "DynamoDB writes": times(_capacity(change, "write"), DYNAMODB_WRITE_UNIT),
        "DynamoDB reads": times(_capacity(change, "read"), DYNAMODB_READ_UNIT),
        "CloudWatch": times(change("pulsequeue_metrics_requested_total"), CLOUDWATCH_METRIC_REQUESTED),
    }


def everything(change: Change, seconds: Expression) -> Expression:
    return plus(*components(change, seconds).values())


def _sqs_requests(change: Change, seconds: Expression) -> Expression:
    # A request for payment goes to two queues: to be charged now, and to be looked at when the hold is over.
    requested = change("events_published_total", within("event", "PaymentRequested"))
    refunds = change("events_published_total", within("event", "RefundRequested"))
    messages = f"({plus(placed(change), times(requested, 2), refunds)})"
    queues = f"count (max by (queue) ({series('aws_sqs_messages_in_flight', CONSUMED)}))"
    polls = times(times(queues, SQS_POLLS_PER_SECOND), seconds)
    return plus(times(messages, SQS_REQUESTS_PER_MESSAGE), polls)


def _capacity(change: Change, kind: str) -> Expression:
    return change("dynamodb_capacity_units_total", within("kind", kind))
