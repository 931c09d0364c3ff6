"""Reading CloudWatch: pages, partial answers and failures as AWS documents them, and a real round trip."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import ANY, Stubber

from services.metrics.adapters.cloudwatch import CloudWatch, CloudWatchUnavailableError
from services.metrics.series import MILLISECONDS, Query, Series, Statistic

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

    from tests.conftest import RunningEmulator

START = 29_333_334


def at(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def series(name: str, outcome: str = "", statistic: Statistic = "Sum") -> Series:
    labels = (("outcome", outcome),) if outcome else ()
    return Series(name, labels, Query("test", name, statistic, labels))


ONE, TWO = series("one"), series("two")


@pytest.fixture
def client() -> "CloudWatchClient":
    return boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


def points(name: str, minutes: dict[int, float], status: str = "Complete") -> dict[str, Any]:
    return {
        "Id": name,
        "Label": name,
        "Timestamps": [at(minute) for minute in minutes],
        "Values": list(minutes.values()),
        "StatusCode": status,
    }


def test_every_page_is_read_and_a_series_is_complete_by_its_last_one(client: "CloudWatchClient") -> None:
    params = {"MetricDataQueries": ANY, "StartTime": at(START), "EndTime": at(START + 9), "ScanBy": ANY}
    with Stubber(client) as stub:
        stub.add_response(
            "get_metric_data",
            {
                "MetricDataResults": [points("m0", {START: 1.0}, "PartialData"), points("m1", {START: 5.0})],
                "NextToken": "more",
            },
            params,
        )
        stub.add_response(
            "get_metric_data",
            {"MetricDataResults": [points("m0", {START + 1: 2.0})]},
            {**params, "NextToken": "more"},
        )

        reading = CloudWatch(client).read([ONE, TWO], START, START + 9)

        stub.assert_no_pending_responses()
    assert reading.values == {"one{}": {START: 1, START + 1: 2}, "two{}": {START: 5}}
    assert reading.incomplete == frozenset()
    assert reading.requested == 2


@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_what_is_not_told_whole_is_called_incomplete(client: "CloudWatchClient", status: str) -> None:
    with Stubber(client) as stub:
        stub.add_response(
            "get_metric_data",
            {"MetricDataResults": [points("m0", {START: 1.0}, status), points("m1", {START: 5.0})]},
        )

        reading = CloudWatch(client).read([ONE, TWO], START, START + 9)

    assert reading.incomplete == {"one{}"}
    assert reading.values["one{}"] == {START: 1}


def test_a_series_that_is_not_answered_at_all_is_incomplete(client: "CloudWatchClient") -> None:
    with Stubber(client) as stub:
        stub.add_response("get_metric_data", {"MetricDataResults": [points("m0", {})]})

        reading = CloudWatch(client).read([ONE, TWO], START, START + 9)

    assert reading.incomplete == {"two{}"}


def test_many_series_are_asked_for_in_few_calls(client: "CloudWatchClient") -> None:
    many = [series(f"s{number}") for number in range(5)]
    with Stubber(client) as stub:
        for size in (2, 2, 1):
            stub.add_response(
                "get_metric_data",
                {"MetricDataResults": [points(f"m{it}", {START: it}) for it in range(size)]},
            )

        reading = CloudWatch(client, queries_a_call=2).read(many, START, START + 9)

        stub.assert_no_pending_responses()
    assert reading.requested == 5
    assert reading.values["s3{}"] == {START: 1}


def test_a_throttled_call_is_worth_another_try(client: "CloudWatchClient") -> None:
    with Stubber(client) as stub:
        stub.add_client_error("get_metric_data", "ThrottlingException", http_status_code=400)

        with pytest.raises(CloudWatchUnavailableError):
            CloudWatch(client).read([ONE], START, START + 9)


def test_a_denied_call_is_not(client: "CloudWatchClient") -> None:
    with Stubber(client) as stub:
        stub.add_client_error("get_metric_data", "AccessDenied", http_status_code=403)

        with pytest.raises(client.exceptions.ClientError):
            CloudWatch(client).read([ONE], START, START + 9)


@pytest.mark.emulator
def test_sums_counts_and_maxima_come_back_minute_by_minute(emulator: "RunningEmulator") -> None:
    namespace = f"test-{uuid4().hex[:8]}"
    put = emulator.clients.client("cloudwatch").put_metric_data
    now = int(datetime.now(UTC).timestamp()) // 60 - 5
    for minute, values in {now: [10.0, 20.5], now + 1: [4.0]}.items():
        put(
            Namespace=namespace,
            MetricData=[{"MetricName": "took", "Timestamp": at(minute), "Values": values}],
        )
    by_statistic = {
        statistic: Series(f"took_{statistic}", (), Query(namespace, "took", statistic), MILLISECONDS)
        for statistic in ("Sum", "SampleCount", "Maximum")
    }

    reading = CloudWatch(emulator.clients.client("cloudwatch")).read(
        list(by_statistic.values()), now, now + 2
    )

    assert reading.incomplete == frozenset()
    assert reading.values[by_statistic["Sum"].key] == {now: 30_500, now + 1: 4_000}
    assert reading.values[by_statistic["SampleCount"].key] == {now: 2_000, now + 1: 1_000}
    assert reading.values[by_statistic["Maximum"].key] == {now: 20_500, now + 1: 4_000}


@pytest.mark.emulator
def test_hours_come_back_as_the_sum_of_their_minutes(emulator: "RunningEmulator") -> None:
    namespace = f"test-{uuid4().hex[:8]}"
    hour = (int(datetime.now(UTC).timestamp()) // 3600 - 5) * 60
    emulator.clients.client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": "took", "Timestamp": at(minute), "Value": value}
            for minute, value in {hour: 1.5, hour + 59: 2.25, hour + 60: 4.0}.items()
        ],
    )
    took = Series("took", (), Query(namespace, "took", "Sum"), MILLISECONDS)

    reading = CloudWatch(emulator.clients.client("cloudwatch")).read([took], hour, hour + 120, period=60)

    assert reading.values[took.key] == {hour: 3_750, hour + 60: 4_000}
