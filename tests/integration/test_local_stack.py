"""The local stack: up, down, status, sample orders and metrics."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psutil
import psycopg
import pytest

from scripts.common.errors import ToolError
from scripts.environment.environment import open_environment
from scripts.environment.local_state import StackState, state_file
from scripts.local import metrics_endpoint, processes, sample_orders, stack_data, stack_status
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from scripts.ops.aws_context import AwsOpsContext
from scripts.ops.dlq.dlq import peek
from scripts.ops.dlq.messages import Filter
from tests.conftest import RunningStack
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    local_stack.reset(home=tmp_path / "home")


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
def test_samples_delete_their_own_dead_letters_only(stack: RunningStack, consumer: str) -> None:
    sqs, url = stack.environment.client("sqs"), stack.environment.dead_letter_url(consumer)
    dlq = AwsOpsContext(stack.environment).dlq(consumer)
    before = {dead_letter.body for dead_letter in peek([dlq], Filter())}
    foreign = f"not-ours-{uuid4().hex}"
    sqs.send_message(QueueUrl=url, MessageBody=foreign)

    result = sample_orders.run_samples(stack.environment, burst_orders=1)

    assert result.ok
    dead_letters = [dead_letter for batch in dlq.take() for dead_letter in batch]
    assert [dead_letter.body for dead_letter in dead_letters if dead_letter.body not in before] == [foreign]
    dlq.delete([dead_letter for dead_letter in dead_letters if dead_letter.body == foreign])
    dlq.put_back(dead_letters)


def total(stack: RunningStack, namespace: str, metric: str, **dimensions: str) -> float:
    now = datetime.now(UTC)
    response = stack.environment.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in response["Datapoints"])


def test_cloudwatch_counts_each_order_once(stack: RunningStack) -> None:
    namespace = stack.environment.names.metrics_namespace
    orders = stack.environment.client("dynamodb").get_paginator("scan")

    def ever_reserved() -> int:
        pages = orders.paginate(TableName=stack.environment.names.orders_table, ConsistentRead=True)
        return sum(item["status"]["S"] != "REJECTED" for page in pages for item in page["Items"])

    for _ in range(2):
        assert sample_orders.run_samples(stack.environment, burst_orders=20).ok
        wait_until(
            lambda: total(stack, namespace, "orders_total", outcome="reserved") >= ever_reserved(),
            "every reserved order is counted",
        )

    assert total(stack, namespace, "orders_total", outcome="reserved") == ever_reserved()


def scrape(url: str, token: str | None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:  # noqa: S310 -- http to ourselves
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_the_metrics_answer_at_once_and_to_those_with_the_token_alone(stack: RunningStack) -> None:
    state = stack_status.status(home=stack.home).state
    assert state is not None
    assert state.metrics_url is not None

    metrics_endpoint.collect(stack.environment)

    status, text = scrape(state.metrics_url, state.metrics_token)
    assert status == 200
    assert 'orders_total{outcome="reserved"}' in text
    assert scrape(state.metrics_url, None)[0] == 401
    assert scrape(state.metrics_url, "guessed")[0] == 401


def test_a_collection_that_fails_says_why(stack: RunningStack) -> None:
    names = stack.environment.names
    functions, collector = stack.environment.client("lambda"), names.function("collector")
    configuration = functions.get_function_configuration(FunctionName=collector)
    functions.update_function_configuration(
        FunctionName=collector, Handler="services.metrics.nowhere.handlers"
    )
    try:
        with pytest.raises(ToolError, match=r"collecting metrics failed: .*services\.metrics\.nowhere"):
            metrics_endpoint.collect(stack.environment)
    finally:
        functions.update_function_configuration(FunctionName=collector, Handler=configuration["Handler"])


def test_the_capacity_that_orders_consume_is_counted(stack: RunningStack) -> None:
    namespace = stack.environment.names.metrics_namespace
    assert sample_orders.run_samples(stack.environment, burst_orders=1).ok

    wait_until(
        lambda: all(
            total(stack, namespace, "dynamodb_capacity_units_total", table=table, kind="write") > 0
            for table in ("orders", "inventory")
        ),
        "capacity units of both tables are counted",
    )


def test_the_token_of_the_metrics_outlives_the_stack(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)
    local_stack.down(home=home)

    second = local_stack.up(options, home=home)

    assert first.metrics_token
    assert (second.metrics_url, second.metrics_token) == (first.metrics_url, first.metrics_token)
    parameter = (
        open_environment("local", home=home)
        .client("ssm")
        .get_parameter(Name="/local-pulsequeue/metrics-token", WithDecryption=True)
    )
    assert parameter["Parameter"]["Value"] == first.metrics_token


def test_lambda_and_queues_have_their_numbers_under_the_names_of_aws(stack: RunningStack) -> None:
    names = stack.environment.names
    assert sample_orders.run_samples(stack.environment, burst_orders=1).ok

    wait_until(
        lambda: total(stack, "AWS/Lambda", "Invocations", FunctionName=names.function("order")) > 0,
        "invocations are counted",
    )
    cloudwatch = stack.environment.client("cloudwatch")
    wait_until(
        lambda: bool(
            cloudwatch.list_metrics(
                Namespace="AWS/SQS",
                MetricName="ApproximateNumberOfMessagesVisible",
                Dimensions=[{"Name": "QueueName", "Value": names.queue("order")}],
            )["Metrics"]
        ),
        "the depth of the queue is published",
    )


def test_a_running_stack_is_healthy_and_listens_on_loopback_only(stack: RunningStack) -> None:
    found = stack_status.status(home=stack.home)
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


def test_up_and_reset_leave_nothing_behind(home: Path, options: StackOptions) -> None:
    state = local_stack.up(options, home=home)
    family = [psutil.Process(record.pid) for record in state.processes]
    assert Path(state.scratch).is_dir()
    database = stack_data.open_data(home).database

    assert local_stack.reset(home=home)

    assert [process for process in family if process.is_running()] == []
    assert not Path(state.scratch).exists()
    assert not state_file(home).exists()
    assert not Path(database).exists()
    assert not stack_data.folder(home).exists()
    ministack.require_free_port(int(state.aws_endpoint.rpartition(":")[2]))


def test_up_again_keeps_the_emulator_and_applies_what_changed(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)

    second = local_stack.up(StackOptions(hold_seconds=9), home=home)

    assert second.processes == first.processes
    for moved in (StackOptions(port=ministack.free_port()), StackOptions(db_port=ministack.free_port())):
        with pytest.raises(ToolError, match=r"already runs on port \d+; stop it with `make down`"):
            local_stack.up(moved, home=home)


def test_up_restarts_a_cloudwatch_shipper_that_has_ended(home: Path, options: StackOptions) -> None:
    first = local_stack.up(options, home=home)
    shipper = first.process(local_stack.CLOUDWATCH_SHIPPER)
    assert shipper is not None
    processes.stop([shipper], timeout=0.5)
    assert (
        "cloudwatch-shipper has exited; repair it with `make up`" in stack_status.status(home=home).problems
    )

    second = local_stack.up(StackOptions(), home=home)

    assert second.process(local_stack.EMULATOR) == first.process(local_stack.EMULATOR)
    assert stack_status.status(home=home).healthy


def test_the_cloudwatch_shipper_ends_when_the_emulator_has_ended(home: Path, options: StackOptions) -> None:
    state = local_stack.up(replace(options, shipper_seconds=0.1), home=home)
    emulator, shipper = state.process(local_stack.EMULATOR), state.process(local_stack.CLOUDWATCH_SHIPPER)
    assert emulator is not None
    assert shipper is not None

    psutil.Process(emulator.pid).kill()

    wait_until(lambda: processes.find(shipper) is None, "the CloudWatch shipper ends")


def place_order(home: Path, order_id: str) -> None:
    """Place an order, and wait until it is settled and PostgreSQL has it."""
    environment = open_environment("local", home=home)
    sample_orders.seed(environment, sample_orders.catalogue())
    order = {"orderId": order_id, "customerId": "c-1", "items": [{"sku": "prod-001", "quantity": 2}]}
    environment.client("events").put_events(
        Entries=[
            {
                "Source": "test",
                "DetailType": "OrderPlaced",
                "Detail": json.dumps(order),
                "EventBusName": environment.names.bus,
            }
        ]
    )
    wait_until(lambda: order_status(home, order_id) == "CONFIRMED", "the order is confirmed")
    wait_until(lambda: row_status(home, order_id) == "CONFIRMED", "the database has the order")


def order_status(home: Path, order_id: str) -> str | None:
    environment = open_environment("local", home=home)
    item = environment.client("dynamodb").get_item(
        TableName=environment.names.orders_table,
        Key={"pk": {"S": f"default#{order_id}"}},
        ConsistentRead=True,
    )
    return item["Item"]["status"]["S"] if "Item" in item else None


def row_status(home: Path, order_id: str) -> str | None:
    state = StackState.read(home)
    assert state is not None
    assert state.postgres is not None
    with psycopg.connect(state.postgres) as connection:
        row = connection.execute("SELECT status FROM orders WHERE order_id = %s", [order_id]).fetchone()
    return row[0] if row else None


def kill(state: StackState) -> None:
    for record in state.processes:
        psutil.Process(record.pid).kill()
    wait_until(lambda: not any(map(processes.find, state.processes)), "the processes are gone")


def test_data_survives_down_and_up_on_other_ports(home: Path, options: StackOptions) -> None:
    local_stack.up(options, home=home)
    place_order(home, "o-1")
    notes: list[str] = []

    local_stack.down(home=home, progress=notes.append)
    moved = StackOptions(port=ministack.free_port(), db_port=ministack.free_port())
    state = local_stack.up(moved, home=home, progress=notes.append)

    assert (state.emulator_port, state.postgres_port) == (moved.port, moved.db_port)
    assert (order_status(home, "o-1"), row_status(home, "o-1")) == ("CONFIRMED", "CONFIRMED")
    assert not [note for note in notes if "lost" in note or "before it saved" in note]
    place_order(home, "o-2")
    assert stack_status.status(home=home).problems == ()


def test_up_after_a_kill_says_what_was_lost_and_works(home: Path, options: StackOptions) -> None:
    local_stack.up(options, home=home)
    place_order(home, "o-saved")
    local_stack.down(home=home)
    killed = local_stack.up(options, home=home)
    place_order(home, "o-lost")
    wait_until(lambda: row_status(home, "o-lost") == "CONFIRMED", "the read side knows the order")
    kill(killed)
    notes: list[str] = []

    local_stack.up(options, home=home, progress=notes.append)

    (note,) = [note for note in notes if note.startswith("The stack was not stopped")]
    data = stack_data.open_data(home)
    assert f"since {data.saved_at} are lost" in note
    assert "PostgreSQL still has 1 of the lost orders" in note
    assert (order_status(home, "o-saved"), order_status(home, "o-lost")) == ("CONFIRMED", None)
    assert row_status(home, "o-lost") == "CONFIRMED"
    assert stack_status.status(home=home).healthy
    assert not Path(killed.scratch).exists()
    place_order(home, "o-next")


def test_reset_empties_and_the_next_up_starts_with_nothing(home: Path, options: StackOptions) -> None:
    local_stack.up(options, home=home)
    place_order(home, "o-1")

    assert local_stack.reset(home=home)
    local_stack.up(options, home=home)

    assert (order_status(home, "o-1"), row_status(home, "o-1")) == (None, None)
    assert not sample_orders.has_orders(open_environment("local", home=home))


def test_an_interrupted_up_is_not_healthy_until_up_completes_it(
    home: Path, options: StackOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as killed:
        # As after SIGKILL: nothing is undone.
        killed.setattr(local_stack, "_stop", lambda *_, **__: (False, False))

        def interrupt(step: str) -> None:
            if step.startswith("Creating"):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            local_stack.up(options, home=home, progress=interrupt)
    found = stack_status.status(home=home)

    assert not found.healthy
    assert "cloudwatch-shipper was never started; repair it with `make up`" in found.problems
    assert "the API was never published; repair it with `make up`" in found.problems

    local_stack.up(options, home=home)

    assert stack_status.status(home=home).problems == ()


def test_a_database_that_ended_is_named_and_started_again_over_its_data(
    home: Path, options: StackOptions
) -> None:
    state = local_stack.up(options, home=home)
    place_order(home, "o-1")
    server = state.process(local_stack.POSTGRES)
    assert server is not None
    processes.stop([server], timeout=0.5)

    problems = stack_status.status(home=home).problems

    assert "postgres has exited; repair it with `make up`" in problems
    assert f"PostgreSQL does not answer on port {state.postgres_port}; repair it with `make up`" in problems
    local_stack.up(StackOptions(), home=home)
    assert row_status(home, "o-1") == "CONFIRMED"
    assert stack_status.status(home=home).healthy


def test_a_half_failed_up_stops_what_it_started(home: Path, options: StackOptions) -> None:
    started: list[StackState] = []

    def fail_at_provisioning(step: str) -> None:
        if step.startswith("Creating"):
            state = StackState.read(home)
            assert state is not None
            started.append(state)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local_stack.up(options, home=home, progress=fail_at_provisioning)

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
        target=local_stack.up, args=(options,), kwargs={"home": home, "progress": wait_inside}
    )
    first.start()
    assert entered.wait(30)
    try:
        with pytest.raises(ToolError, match="another `up` or `down` of this stack is running"):
            local_stack.up(options, home=home)
    finally:
        leave.set()
        first.join()
