"""The bridge against the emulator: what is logged arrives in CloudWatch, once."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from scripts.environment import Environment
from scripts.local.bridge import Bridge
from scripts.local.provision import Overrides, provision
from scripts.topology import Topology
from tests.conftest import RunningEmulator

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def deployed(emulator: RunningEmulator) -> Environment:
    environment = Environment("bridge", Topology.load(), emulator.clients)
    provision(environment, Overrides())
    return environment


@pytest.fixture
def bridge(deployed: Environment, tmp_path: Path) -> Bridge:
    bridge = Bridge(deployed, tmp_path / "bridge.json")
    bridge.carry_logs()  # what earlier tests have logged
    return bridge


def log_invocation(environment: Environment, *lines: str) -> None:
    logs, group, stream = environment.client("logs"), environment.names.log_group("order"), uuid4().hex
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    at = int(time.time() * 1000)
    report = f"REPORT RequestId: {stream}\tDuration: 12 ms\tBilled Duration: 12 ms"
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": line} for line in (*lines, report)],
    )


def emf(metric: str, *values: float) -> str:
    directive = {"Namespace": "bridge", "Dimensions": [["k"]], "Metrics": [{"Name": metric, "Unit": "Count"}]}
    at = int(time.time() * 1000)
    return json.dumps({"_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]}, "k": "v", metric: values})


def total(environment: Environment, namespace: str, metric: str, dimension: tuple[str, str]) -> float:
    now = datetime.now(UTC)
    answer = environment.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": dimension[0], "Value": dimension[1]}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=10),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_embedded_metrics_arrive_with_all_their_values(deployed: Environment, bridge: Bridge) -> None:
    log_invocation(deployed, "START", emf("arrive", 1, 1, 3), '{"level":"INFO"}')

    assert bridge.carry_logs() == 1

    assert total(deployed, "bridge", "arrive", ("k", "v")) == 5


def test_overlapping_readings_count_a_line_once(deployed: Environment, bridge: Bridge) -> None:
    log_invocation(deployed, emf("overlap", 2))

    carried = [bridge.carry_logs() for _ in range(3)]
    log_invocation(deployed, emf("overlap", 5))
    carried.append(bridge.carry_logs())

    assert carried == [1, 0, 0, 1]
    assert total(deployed, "bridge", "overlap", ("k", "v")) == 7


def test_a_new_bridge_goes_on_where_the_last_one_ended(
    deployed: Environment, bridge: Bridge, tmp_path: Path
) -> None:
    log_invocation(deployed, emf("restart", 2))
    bridge.carry_logs()

    assert Bridge(deployed, tmp_path / "bridge.json").carry_logs() == 0

    assert total(deployed, "bridge", "restart", ("k", "v")) == 2


def test_a_malformed_line_does_not_stop_those_around_it(deployed: Environment, bridge: Bridge) -> None:
    log_invocation(deployed, '{"_aws": "nonsense"}', emf("around", 4))

    bridge.carry_logs()

    assert bridge.malformed == 1
    assert total(deployed, "bridge", "around", ("k", "v")) == 4


def test_reports_become_the_metrics_of_lambda(deployed: Environment, bridge: Bridge) -> None:
    function = ("FunctionName", deployed.names.function("order"))
    before = {
        name: total(deployed, "AWS/Lambda", name, function) for name in ("Invocations", "Errors", "Duration")
    }

    log_invocation(deployed, "hello")
    log_invocation(deployed, "Traceback (most recent call last):")
    bridge.carry_logs()

    after = {name: total(deployed, "AWS/Lambda", name, function) for name in before}
    assert {name: after[name] - before[name] for name in before} == {
        "Invocations": 2,
        "Errors": 1,
        "Duration": 24,
    }


def test_queue_depths_arrive_under_their_queue(deployed: Environment, bridge: Bridge) -> None:
    url = deployed.dead_letter_url("payment")
    deployed.client("sqs").send_message(QueueUrl=url, MessageBody="poison")

    bridge.carry_queues(int(time.time() * 1000))

    queue = ("QueueName", deployed.names.dead_letter_queue("payment"))
    assert total(deployed, "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue) == 1
