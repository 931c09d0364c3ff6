"""The one-machine stack as a user meets it."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import open_environment
from scripts.environment.local_state import StackState, state_file
from scripts.local import metrics_endpoint, processes, sample_orders
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from tests.conftest import RunningStack

pytestmark = pytest.mark.stack


def until(met: Callable[[], bool], deadline: float = 30.0) -> None:
    end = time.monotonic() + deadline
    while not met():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.05)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    local_stack.down(home=tmp_path / "home")


@pytest.fixture
def options() -> StackOptions:
    return StackOptions(port=ministack.free_port())


def test_every_kind_of_sample_order_ends_as_expected(stack: RunningStack) -> None:
    result = sample_orders.run_samples(stack.environment, burst_orders=30)

    assert [outcome for outcome in result.outcomes if not outcome.ok] == []
    assert result.burst.confirmed == 30
    sold = {change.sku: change.before - change.after for change in result.stock}
    assert sold == {"prod-001": 30, "prod-002": 2, "prod-003": 1, "prod-004": 1}


@pytest.mark.parametrize("consumer", ["order", "projector"])
def test_the_samples_leave_no_poison_behind_and_spare_that_of_others(
    stack: RunningStack, consumer: str
) -> None:
    sqs, url = stack.environment.client("sqs"), stack.environment.dead_letter_url(consumer)
    dlq = AwsOpsContext(stack.environment).dlq(consumer)
    before = {dead_letter.body for dead_letter in peek([dlq], Filter())}
    mark = f"not-ours-{uuid4().hex}"
    sqs.send_message(QueueUrl=url, MessageBody=mark)

    result = sample_orders.run_samples(stack.environment, burst_orders=1)

    assert result.ok
    letters = [dead_letter for batch in dlq.take() for dead_letter in batch]
    assert [dead_letter.body for dead_letter in letters if dead_letter.body not in before] == [mark]
    dlq.delete([dead_letter for dead_letter in letters if dead_letter.body == mark])
    dlq.put_back(letters)


def total(stack: RunningStack, namespace: str, metric: str, **dimensions: str) -> float:
    now = datetime.now(UTC)
    answer = stack.environment.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_cloudwatch_counts_each_order_once(stack: RunningStack) -> None:
    namespace = stack.environment.names.metrics_namespace
    books = stack.environment.client("dynamodb").get_paginator("scan")

    def ever_reserved() -> int:
        pages = books.paginate(TableName=stack.environment.names.orders_table, ConsistentRead=True)
        return sum(item["status"]["S"] != "REJECTED" for page in pages for item in page["Items"])

    for _ in range(2):
        assert sample_orders.run_samples(stack.environment, burst_orders=20).ok
        until(lambda: total(stack, namespace, "orders_total", outcome="reserved") >= ever_reserved())

    assert total(stack, namespace, "orders_total", outcome="reserved") == ever_reserved()


def scraped(url: str, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:  # noqa: S310 -- http to ourselves
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


def test_the_metrics_answer_at_once_and_to_those_with_the_token_alone(stack: RunningStack) -> None:
    state = local_stack.status(home=stack.home).state
    assert state is not None
    assert state.metrics_url is not None

    metrics_endpoint.collect(stack.environment)

    status, text = scraped(state.metrics_url, state.metrics_token)
    assert status == 200
    assert 'orders_total{outcome="reserved"}' in text
    assert scraped(state.metrics_url, None)[0] == 401
    assert scraped(state.metrics_url, "guessed")[0] == 401


def test_a_collection_that_fails_says_why(stack: RunningStack) -> None:
    names = stack.environment.names
    functions, collector = stack.environment.client("lambda"), names.function("collector")
    configuration = functions.get_function_configuration(FunctionName=collector)
    functions.update_function_configuration(
        FunctionName=collector, Handler="services.metrics.nowhere.handlers"
    )
    try:
        with pytest.raises(ToolError, match=r"could not be collected: .*services\.metrics\.nowhere"):
            metrics_endpoint.collect(stack.environment)
    finally:
        functions.update_function_configuration(FunctionName=collector, Handler=configuration["Handler"])


def test_the_capacity_that_orders_consume_is_counted(stack: RunningStack) -> None:
    namespace = stack.environment.names.metrics_namespace
    assert sample_orders.run_samples(stack.environment, burst_orders=1).ok

    until(
        lambda: all(
            total(stack, namespace, "dynamodb_capacity_units_total", table=table, kind="write") > 0
            for table in ("orders", "inventory")
        )
    )


def test_the_token_of_the_metrics_outlives_the_stack(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)
    local_stack.down(home=home)

    second = local_stack.up(options, home=home)

    assert first.metrics_token
    assert (second.metrics_url, second.metrics_token) == (first.metrics_url, first.metrics_token)
    kept = (
        open_environment("local", home=home)
        .client("ssm")
        .get_parameter(Name="/local-pulsequeue/metrics-token", WithDecryption=True)
    )
    assert kept["Parameter"]["Value"] == first.metrics_token


def test_lambda_and_queues_have_their_numbers_under_the_names_of_aws(stack: RunningStack) -> None:
    names = stack.environment.names
    assert sample_orders.run_samples(stack.environment, burst_orders=1).ok

    until(lambda: total(stack, "AWS/Lambda", "Invocations", FunctionName=names.function("order")) > 0)
    cloudwatch = stack.environment.client("cloudwatch")
    until(
        lambda: bool(
            cloudwatch.list_metrics(
                Namespace="AWS/SQS",
                MetricName="ApproximateNumberOfMessagesVisible",
                Dimensions=[{"Name": "QueueName", "Value": names.queue("order")}],
            )["Metrics"]
        )
    )


def test_a_running_stack_is_healthy_and_listens_on_loopback_only(stack: RunningStack) -> None:
    found = local_stack.status(home=stack.home)
    assert found.state is not None
    roots = [psutil.Process(record.pid) for record in found.state.processes]
    family = [*roots, *(child for root in roots for child in root.children(recursive=True))]

    listening = [
        connection.laddr.ip
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert found.healthy, found.problems
    assert set(listening) == {"127.0.0.1"}


def test_up_and_down_leave_nothing_behind(home: Path, options: StackOptions) -> None:
    state = local_stack.up(options, home=home)
    family = [psutil.Process(record.pid) for record in state.processes]
    assert Path(state.scratch).is_dir()

    assert local_stack.down(home=home)

    assert [process for process in family if process.is_running()] == []
    assert not Path(state.scratch).exists()
    assert not state_file(home).exists()
    ministack.require_free_port(int(state.aws_endpoint.rpartition(":")[2]))


def test_up_again_keeps_the_emulator_and_applies_what_changed(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)

    second = local_stack.up(StackOptions(hold_seconds=9), home=home)

    assert second.processes == first.processes
    with pytest.raises(ToolError, match="already runs on"):
        local_stack.up(StackOptions(port=ministack.free_port()), home=home)


def test_up_starts_a_bridge_that_has_died(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)
    bridge = first.process(local_stack.BRIDGE)
    assert bridge is not None
    processes.stop([bridge], patience=0.5)
    assert "the bridge has ended" in local_stack.status(home=home).problems

    second = local_stack.up(StackOptions(), home=home)

    assert second.process(local_stack.EMULATOR) == first.process(local_stack.EMULATOR)
    assert local_stack.status(home=home).healthy


def test_the_bridge_ends_by_itself_when_the_emulator_has_gone(home: Path, options: StackOptions) -> None:
    state = local_stack.up(replace(options, bridge_seconds=0.1), home=home)
    emulator, bridge = state.process(local_stack.EMULATOR), state.process(local_stack.BRIDGE)
    assert emulator is not None
    assert bridge is not None

    psutil.Process(emulator.pid).kill()

    until(lambda: processes.find(bridge) is None)


def test_up_after_a_crash_starts_anew(home: Path, options: StackOptions) -> None:
    crashed = local_stack.up(options, home=home)
    for record in crashed.processes:
        psutil.Process(record.pid).kill()
    until(lambda: not any(map(processes.find, crashed.processes)))

    local_stack.up(options, home=home)

    assert local_stack.status(home=home).healthy
    assert not Path(crashed.scratch).exists()


def test_a_half_failed_up_stops_what_it_started(home: Path, options: StackOptions) -> None:
    started: list[StackState] = []

    def fail_at_provisioning(step: str) -> None:
        if step.startswith("Creating"):
            state = StackState.read(home)
            assert state is not None
            started.append(state)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local_stack.up(options, home=home, say=fail_at_provisioning)

    (state,) = started
    assert not any(map(processes.find, state.processes))
    assert not Path(state.scratch).exists()
    assert not state_file(home).exists()


def test_a_second_up_at_the_same_time_is_turned_away(home: Path, options: StackOptions) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait_inside(_: str) -> None:
        entered.set()
        assert leave.wait(30)

    first = threading.Thread(
        target=local_stack.up, args=(options,), kwargs={"home": home, "say": wait_inside}
    )
    first.start()
    assert entered.wait(30)
    try:
        with pytest.raises(ToolError, match="another `up` or `down` is at work"):
            local_stack.up(options, home=home)
    finally:
        leave.set()
        first.join()
