"""What CloudWatch bills is counted at the real collector."""

import pytest

from benchmarks.cloudwatch_bill import deployment_of, month, requested_a_minute
from services.metrics.catalog import catalog


@pytest.mark.parametrize("series", [500, 5_000])
def test_a_deployment_made_up_for_so_many_series_has_about_that_many(series: int) -> None:
    assert catalog(deployment_of(series)).size == pytest.approx(series, rel=0.05)


def test_the_buckets_of_histograms_are_asked_for_only_while_they_move() -> None:
    deployment = deployment_of(300)
    listed = catalog(deployment)
    buckets = sum(len(histogram.buckets) for histogram in listed.histograms)

    assert requested_a_minute(deployment, busy=True) == listed.size
    assert requested_a_minute(deployment, busy=False) == listed.size - buckets


def test_a_thousand_metrics_a_minute_are_a_cent_a_minute() -> None:
    assert month(1_000, 60) == pytest.approx(30 * 24 * 60 * 0.01)


def test_two_servers_that_ask_twice_as_often_pay_four_times() -> None:
    assert month(100, 15, 2) == pytest.approx(4 * month(100, 30))
