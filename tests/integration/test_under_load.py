"""Many at once, on a stack with the usual hold: rivals, killed workers, and every event delivered again."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from scripts.environment.environment import open_environment
from scripts.environment.local_state import ProcessRecord, StackState
from scripts.local import stack as local_stack
from scripts.local.aws import emulator as ministack
from scripts.local.stack import StackOptions
from scripts.ops.replay.replay import Plan, replay, routes
from services.order.reconcile import reconcile
from services.shared.ledger import Status
from tests.support.pipeline_client import PipelineClient
from tests.support.polling import wait_until

pytestmark = pytest.mark.stack

PUBLISHERS = 16
KILLS = 12
RETRY_SECONDS = 8
"""Longer than a cold start on a busy machine, or a message uses up its deliveries while it is worked on."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack of its own, whose reservations outlive a slow machine."""
    home = tmp_path_factory.mktemp("load")
    local_stack.up(StackOptions(port=ministack.free_port(), retry_seconds=RETRY_SECONDS), home=home)
    try:
        yield home
    finally:
        local_stack.reset(home=home)


@pytest.fixture
def pipeline(home: Path) -> PipelineClient:
    return PipelineClient(open_environment("local", home=home))


def test_rivals_for_a_scarce_sku_get_exactly_what_is_there(pipeline: PipelineClient) -> None:
    scarce = pipeline.create_sku(100)
    names = [[f"rival-{publisher}-{n}" for n in range(20)] for publisher in range(PUBLISHERS)]

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        list(pool.map(lambda batch: pipeline.place(*(pipeline.order(name, scarce) for name in batch)), names))

    ends = pipeline.wait_until_settled([name for batch in names for name in batch])
    assert Counter(order.status for order in ends.values()) == {Status.CONFIRMED: 100, Status.REJECTED: 220}
    assert {order.reason for order in ends.values() if order.status is Status.REJECTED} == {"out_of_stock"}
    assert pipeline.levels(scarce) == (0, 0, 0)


def test_workers_killed_in_the_middle_lose_and_double_nothing(pipeline: PipelineClient, home: Path) -> None:
    skus = [pipeline.create_sku(200) for _ in range(5)]
    names = [f"shaken-{n}" for n in range(400)]
    done = threading.Event()
    killed: list[int] = []
    killer = threading.Thread(target=_kill_workers, args=(_started(home), done, killed))

    killer.start()
    try:
        for start in range(0, len(names), 20):
            batch = enumerate(names[start : start + 20])
            pipeline.place(*(pipeline.order(name, skus[n % 5]) for n, name in batch))
            _wait_for_kills(killed, start // 100)
        ends = pipeline.wait_until_settled(names)
    finally:
        done.set()
        killer.join()

    assert Counter(order.status for order in ends.values()) == {Status.CONFIRMED: 400}
    assert [pipeline.levels(sku) for sku in skus] == [(120, 0, 120)] * 5
    charges = [order.payment.charge_id for order in ends.values() if order.payment]
    assert len(set(charges)) == 400


def _wait_for_kills(killed: Sequence[int], least: int) -> None:
    wait_until(lambda: len(killed) >= least, f"{least} workers are killed")


def _started(home: Path) -> Sequence[ProcessRecord]:
    state = StackState.read(home)
    assert state is not None
    return state.processes


def _kill_workers(started: Sequence[ProcessRecord], done: threading.Event, killed: list[int]) -> None:
    """Kill one worker of an order or a payment after another, until the test is done or enough is enough."""
    while len(killed) < KILLS and not done.wait(0.3):
        for process in _workers(started)[:1]:
            process.kill()
            killed.append(process.pid)


def _workers(started: Sequence[ProcessRecord]) -> list[psutil.Process]:
    """Find the processes that run the two handlers: children of what the stack started."""
    return [
        child
        for record in started
        for child in psutil.Process(record.pid).children(recursive=True)
        if _runs_a_handler(child)
    ]


def _runs_a_handler(process: psutil.Process) -> bool:
    try:
        words = process.cmdline()
        return any(
            word.endswith("_worker.py") and ("-order-" in word or "-payment-" in word) for word in words
        )
    except psutil.Error:
        return False  # gone between being listed and being asked


def test_telling_everything_once_more_changes_nothing(pipeline: PipelineClient) -> None:
    sku = pipeline.create_sku(3)
    pipeline.place(
        pipeline.order("sold", sku),
        pipeline.order("declined", sku, paymentMethod="sim_declined"),
        pipeline.order("greedy", sku, 9),
        pipeline.order("returned", sku),
    )
    pipeline.wait_until_settled(["sold", "declined", "greedy", "returned"])
    pipeline.publish("OrderCancellationRequested", [{"orderId": pipeline.order_id("returned")}])
    pipeline.wait_for_status("returned", "REFUNDED")
    _settle(pipeline)
    before = _everything(pipeline)

    now = pipeline.ops.clock.now()
    result = replay(pipeline.ops, Plan(now - timedelta(hours=1), now, routes(pipeline.ops.topology, (), ())))

    assert result.complete
    consumers = pipeline.ops.topology.consumers.items()
    assert result.sent.keys() == {name for name, it in consumers if it.subscriptions and it.replayed}
    _settle(pipeline)
    assert _everything(pipeline) == before


def _settle(pipeline: PipelineClient) -> None:
    """Wait until nothing is under way but what waits for the end of its hold."""
    environment = pipeline.environment

    def waiting(function: str) -> int:
        attributes = environment.client("sqs").get_queue_attributes(
            QueueUrl=environment.queue_url(function),
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in attributes.values())

    def idle() -> bool:
        return not any(waiting(function) for function in environment.topology.consumers)

    wait_until(idle, "the queues are empty", timeout=120)


def _everything(pipeline: PipelineClient) -> tuple[dict[object, object], dict[object, object]]:
    books = pipeline.ops.store
    return (
        {order.key: order for order in books.scan_orders()},
        {stock.key: stock for stock in books.scan_stock()},
    )


def test_a_recount_after_all_this_finds_nothing(pipeline: PipelineClient) -> None:
    result = reconcile(pipeline.ops.store, pipeline.ops.clock)

    assert result.discrepancies == ()
    assert result.moving == ()


def test_the_read_side_tells_the_same_of_every_order_as_the_table_of_orders(
    pipeline: PipelineClient, home: Path
) -> None:
    state = StackState.read(home)
    assert state is not None
    stored = {order.key.id: order.status.value for order in pipeline.ops.store.scan_orders()}

    def projected() -> dict[str, str]:
        with closing(psycopg.connect(state.postgres or "")) as reader:
            return dict(reader.execute("SELECT order_id, status FROM orders").fetchall())

    wait_until(lambda: projected().items() >= stored.items(), "every order is projected")

    with closing(psycopg.connect(state.postgres or "")) as reader:
        sums = reader.execute(
            "SELECT sum(orders), sum(confirmed), sum(revenue_minor) FROM sales_daily"
        ).fetchone()
        rows = reader.execute(
            "SELECT count(*), count(*) FILTER (WHERE confirmed_at IS NOT NULL),"
            " sum(amount_minor) FILTER (WHERE confirmed_at IS NOT NULL) FROM orders"
        ).fetchone()
    assert sums == rows
    assert len(stored) >= 720
