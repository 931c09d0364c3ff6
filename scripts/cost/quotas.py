"""AWS quotas of a new account in us-east-1, as of November 2026."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    value: float
    unit: str
    checked: str


_DOCS = "AWS documentation"

PUT_EVENTS = Quota(10_000, "events/s", f"{_DOCS}, which counts requests; counted here as events, to be safe")
RULE_INVOCATIONS = Quota(18_750, "deliveries/s", _DOCS)
IN_FLIGHT = Quota(120_000, "messages", "as known; standard queues")
LAMBDA_CONCURRENCY = Quota(1_000, "instances", "as known; new accounts may begin lower")
LAMBDA_PAYLOAD = Quota(6 * 2**20, "bytes", "as known")
TABLE_WRITES = Quota(40_000, "write units/s", _DOCS)
TABLE_READS = Quota(40_000, "read units/s", _DOCS)
PARTITION_WRITES = Quota(1_000, "write units/s", f"{_DOCS}: one partition, and so one item")
PUT_LOG_EVENTS = Quota(5_000, "requests/s", "as known; counted as one per invocation")
DATAPOINTS = Quota(180_000, "datapoints/s", _DOCS)

SCALING_A_MINUTE = Quota(300, "instances more each minute", f"{_DOCS}: one event source mapping")

MESSAGE_OVERHEAD = 1_200
"""Bytes that the envelopes of EventBridge, SQS and Lambda add to an event, rounded up."""

PUT_EVENTS_BY_REGION: Mapping[str, int] = {
    "us-east-1, us-west-2, eu-west-1": 10_000,
    "us-east-2, eu-central-1": 2_400,
    "us-west-1, ap-northeast-1, ap-southeast-1 and -2, eu-west-2": 1_200,
    "others": 600,
    "af-south-1, ap-northeast-3, ap-southeast-3, eu-south-1": 400,
}
