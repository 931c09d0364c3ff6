"""Gauges published by the tools, beside the metrics of the functions."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


class Gauges(Protocol):
    def publish(self, levels: Mapping[str, float], at: datetime) -> None:
        """Publish levels by name; raises when that fails."""


class CloudWatchGauges:
    def __init__(self, client: "CloudWatchClient", *, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    def publish(self, levels: Mapping[str, float], at: datetime) -> None:
        self._client.put_metric_data(
            Namespace=self._namespace,
            MetricData=[
                {"MetricName": name, "Timestamp": at, "Value": level} for name, level in levels.items()
            ],
        )
