"""The CloudWatch shipper against the emulator: each logged metric arrives once."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest

from scripts.environment.environment import Environment
from scripts.environment.topology import Topology
from scripts.local.aws import emulator as ministack
from scripts.local.aws.cloudwatch_shipper import CloudWatchShipper
from scripts.local.aws.provision import Overrides, provision
from scripts.local.aws.queue_peek import QueuePeek, age_of_oldest
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def deployed(emulator: RunningEmulator) -> Environment:
    environment = Environment("shipper", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    return environment


@pytest.fixture
def peek(emulator: RunningEmulator) -> QueuePeek:
    return QueuePeek(emulator.endpoint)


@pytest.fixture
def shipper(deployed: Environment, tmp_path: Path, peek: QueuePeek) -> CloudWatchShipper:
    shipper = CloudWatchShipper(deployed, tmp_path / "log-cursors.json", peek)
    shipper.ship_logs()  # what earlier tests have logged
    return shipper


def log_invocation(
    environment: Environment, *lines: str, function: str = "order", at_ms: int | None = None
) -> None:
    logs, group, stream = environment.client("logs"), environment.names.log_group(function), uuid4().hex
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = at_ms or int(time.time() * 1000)
    report = f"REPORT RequestId: {stream}\tDuration: 12 ms\tBilled Duration: 12 ms"
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": line} for line in (*lines, report)],
    )


def emf(metric: str, *values: float) -> str:
    directive = {
        "Namespace": "shipper",
        "Dimensions": [["k"]],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    at = int(time.time() * 1000)
    return json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, "k": "v", metric: values})


def statistic(
    environment: Environment,
    namespace: str,
    metric: str,
    dimension: tuple[str, str],
    which: Literal["Sum", "Maximum"],
) -> list[float]:
    now = datetime.now(UTC)
    answer = environment.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=60,
        Statistics=[which],
    )
    return [point[which] for point in answer["Datapoints"]]


def total(environment: Environment, namespace: str, metric: str, dimension: tuple[str, str]) -> float:
    return sum(statistic(environment, namespace, metric, dimension, "Sum"))


def most(environment: Environment, namespace: str, metric: str, dimension: tuple[str, str]) -> float:
    return max(statistic(environment, namespace, metric, dimension, "Maximum"))


def test_embedded_metrics_arrive_with_all_their_values(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    log_invocation(deployed, "START", emf("arrive", 1, 1, 3), '{"level":"INFO"}')

    assert shipper.ship_logs() == 1

    assert total(deployed, "shipper", "arrive", ("k", "v")) == 5


def test_overlapping_readings_count_a_line_once(deployed: Environment, shipper: CloudWatchShipper) -> None:
    log_invocation(deployed, emf("overlap", 2))

    shipped = [shipper.ship_logs() for _ in range(3)]
    log_invocation(deployed, emf("overlap", 5))
    shipped.append(shipper.ship_logs())

    assert shipped == [1, 0, 0, 1]
    assert total(deployed, "shipper", "overlap", ("k", "v")) == 7


def test_a_restarted_shipper_continues_where_the_last_one_stopped(
    deployed: Environment, shipper: CloudWatchShipper, tmp_path: Path, peek: QueuePeek
) -> None:
    log_invocation(deployed, emf("restart", 2))
    shipper.ship_logs()

    assert CloudWatchShipper(deployed, tmp_path / "log-cursors.json", peek).ship_logs() == 0

    assert total(deployed, "shipper", "restart", ("k", "v")) == 2


def test_a_malformed_line_does_not_stop_those_around_it(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    log_invocation(deployed, '{"_aws": "nonsense"}', emf("around", 4))

    shipper.ship_logs()

    assert shipper.malformed == 1
    assert total(deployed, "shipper", "around", ("k", "v")) == 4


def test_reports_become_the_metrics_of_lambda(deployed: Environment, shipper: CloudWatchShipper) -> None:
    function = ("FunctionName", deployed.names.function("order"))
    before = {
        name: total(deployed, "AWS/Lambda", name, function) for name in ("Invocations", "Errors", "Duration")
    }

    log_invocation(deployed, "hello")
    log_invocation(deployed, "Traceback (most recent call last):")
    shipper.ship_logs()

    after = {name: total(deployed, "AWS/Lambda", name, function) for name in before}
    assert {name: after[name] - before[name] for name in before} == {
        "Invocations": 2,
        "Errors": 1,
        "Duration": 24,
    }


def test_queue_depths_arrive_under_their_queue(deployed: Environment, shipper: CloudWatchShipper) -> None:
    url = deployed.dead_letter_url("payment")
    deployed.client("sqs").send_message(QueueUrl=url, MessageBody="poison")

    shipper.ship_queues(int(time.time() * 1000))

    queue = ("QueueName", deployed.names.dead_letter_queue("payment"))
    assert total(deployed, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue) == 1


def test_functions_that_are_scheduled_or_answer_requests_have_their_metrics_too(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    for name in ("collector", "exposition"):
        function = ("FunctionName", deployed.names.function(name))
        log_invocation(deployed, "hello", function=name)

        shipper.ship_logs()

        assert total(deployed, "AWS/Lambda", "Invocations", function) == 1
        assert total(deployed, "AWS/Lambda", "Throttles", function) == 0


def test_invocations_that_overlap_are_counted_side_by_side_over_readings(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    now = int(time.time() * 1000)
    for at in (now, now + 1, now + 2):  # each took 12 ms, and is logged when it ends
        log_invocation(deployed, "hello", function="payment", at_ms=at)
        shipper.ship_logs()

    function = ("FunctionName", deployed.names.function("payment"))
    assert most(deployed, "AWS/Lambda", "ConcurrentExecutions", function) == 3


def test_the_oldest_message_of_a_queue_is_as_old_as_it_was_sent(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    url = deployed.dead_letter_url("order")
    deployed.client("sqs").send_message(QueueUrl=url, MessageBody="old")

    shipper.ship_queues(int(time.time() * 1000) + 90_000)

    queue = ("QueueName", deployed.names.dead_letter_queue("order"))
    assert 90 <= most(deployed, "AWS/SQS", "ApproximateAgeOfOldestMessage", queue) < 100


def test_an_empty_queue_and_one_whose_messages_are_all_delayed_have_no_age(
    deployed: Environment, shipper: CloudWatchShipper
) -> None:
    deployed.client("sqs").send_message(QueueUrl=deployed.queue_url("expiry"), MessageBody="later")

    shipper.ship_queues(int(time.time() * 1000) + 90_000)

    for name in (deployed.names.queue("expiry"), deployed.names.queue("payment")):
        assert most(deployed, "AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", name)) == 0
    delayed = ("QueueName", deployed.names.queue("expiry"))
    assert most(deployed, "AWS/SQS", "ApproximateNumberOfMessagesDelayed", delayed) == 1


def test_to_look_into_a_queue_hands_out_nothing(emulator: RunningEmulator, peek: QueuePeek) -> None:
    sqs = emulator.clients.client("sqs")
    url = sqs.create_queue(QueueName=f"peek-{uuid4().hex}")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="visible")
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=900)

    seen = peek.messages(url)
    (received,) = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    in_flight = peek.messages(url)

    assert seen is not None
    assert in_flight is not None
    assert [message.delayed for message in seen] == [False, True]
    assert received["Attributes"]["ApproximateReceiveCount"] == "1"
    assert [(message.receives, message.visible) for message in in_flight] == [(1, False), (0, False)]
    assert age_of_oldest(in_flight, in_flight[0].sent_ms + 5_000) == 5.0


def test_a_queue_that_cannot_be_looked_into_is_passed_over() -> None:
    nobody = f"http://{ministack.HOST}:{ministack.free_port()}"

    assert QueuePeek(nobody).messages(f"{nobody}/queue") is None
