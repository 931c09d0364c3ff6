"""Levels that the tools publish are in CloudWatch under their name alone."""

from datetime import UTC, datetime, timedelta

import pytest

from scripts.ops.reconcile.gauges import CloudWatchGauges
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


def test_a_level_is_found_without_dimensions_at_its_time(emulator: RunningEmulator) -> None:
    cloudwatch = emulator.clients.client("cloudwatch")
    at = datetime.now(UTC).replace(microsecond=0)

    CloudWatchGauges(cloudwatch, namespace="gauges").publish({"audit_a": 3, "audit_b": 1_795_226_708.5}, at)

    found = {}
    for metric in cloudwatch.list_metrics(Namespace="gauges")["Metrics"]:
        assert metric["Dimensions"] == []
        (point,) = cloudwatch.get_metric_statistics(
            Namespace="gauges",
            MetricName=metric["MetricName"],
            StartTime=at - timedelta(minutes=1),
            EndTime=at + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        found[metric["MetricName"]] = point["Maximum"]
    assert found == {"audit_a": 3, "audit_b": 1_795_226_708.5}
