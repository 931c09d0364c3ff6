"""Measures whether an order takes longer when many orders are stored or many messages wait."""

import gc
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import botocore.session
from botocore.config import Config

from benchmarks.fixtures.emulator import EmulatorFixture, emulator_fixture
from benchmarks.fixtures.functions import TENANT, AwsResources, Functions, logs_discarded, order_placed_body
from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Scale, Spread, alternate, number, ratio
from services.shared.ledger import Status

_SKUS = [f"sku-{n:04}" for n in range(1_000)]
_BATCH = 100
_CALLS = ("TransactWriteItems", "BatchGetItem", "PutEvents")
_WRITERS = 4
_LINES_AN_OBJECT = 100_000
_IMPORT_SECONDS = 240.0


@dataclass
class _SizeResult:
    """Milliseconds per order at one size, and the calls it makes."""

    size: int
    meter: "_OrderTimeMeter"
    ours: list[float] = field(default_factory=list)
    """CPU time of our process, per order."""
    wall: list[float] = field(default_factory=list)
    """Wall time in the functions, per order."""
    emulator: list[float] = field(default_factory=list)
    """CPU time of the emulator, per order."""

    def measure(self) -> float:
        ours, wall, emulator = self.meter.measure()
        self.ours.append(ours)
        self.wall.append(wall)
        self.emulator.append(emulator)
        return ours

    @property
    def calls(self) -> dict[str, float]:
        return {name: made / self.meter.measured for name, made in self.meter.made.items()}


@dataclass
class _OrderTimeMeter:
    resources: AwsResources
    functions: Functions
    orders: int
    measured: int = 0
    made: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_CALLS, 0))

    @classmethod
    def on(cls, resources: AwsResources, orders: int) -> "_OrderTimeMeter":
        resources.stock(_SKUS)
        meter = cls(resources, Functions(resources), orders)
        meter.measure()  # fills the price cache
        meter.measured = 0
        for client in (meter.functions.clients.dynamodb, meter.functions.clients.events):
            client.meta.events.register("before-call", meter.count_call)
        return meter

    def count_call(self, model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
        if model.name in self.made:
            self.made[model.name] += 1

    def measure(self) -> tuple[float, float, float]:
        run = f"size-{time.monotonic_ns():020}"
        self.measured += self.orders
        ids = [f"{run}-{n:05}" for n in range(self.orders)]
        bodies = [
            order_placed_body(*pair) for pair in zip(ids, islice(cycle(_SKUS), self.orders), strict=True)
        ]
        gc.collect()  # a full collection must not fall into the measurement of one size
        first = self._clocks()
        self.functions.place_orders(bodies, _BATCH)
        between = self._clocks()
        requests = self.resources.payment_requests(ids)
        second = self._clocks()
        self.functions.pay(requests, _BATCH)
        end = self._clocks()
        ours, wall, emulator = (
            (b - a + d - c) * 1_000 / self.orders
            for a, b, c, d in zip(first, between, second, end, strict=True)
        )
        return ours, wall, emulator

    def _clocks(self) -> tuple[float, float, float]:
        return time.process_time(), time.perf_counter(), self.resources.aws.cpu_seconds()


def run(scale: Scale) -> Report:
    tables = (0, 2_000, 10_000) if scale is Scale.QUICK else (0, 10_000, 100_000, 1_000_000)
    queues = (0, 2_000) if scale is Scale.QUICK else (0, 10_000, 100_000)
    repetitions, orders = scale.pick(3, 6), scale.pick(200, 500)
    with emulator_fixture() as aws, logs_discarded():
        by_orders = [_SizeResult(size, _OrderTimeMeter.on(_imported(aws, size), orders)) for size in tables]
        alternate(
            {str(size_result.size): size_result.measure for size_result in by_orders}, repetitions, warm_ups=0
        )
    receive_ms: dict[int, list[float]] = {}
    with emulator_fixture() as aws, logs_discarded():
        meter = _OrderTimeMeter.on(AwsResources.on(aws), orders)
        url = aws.clients.client("sqs").create_queue(QueueName="bench-table-size")["QueueUrl"]
        by_messages, filled = [], 0
        for size in queues:
            _fill_queue(aws, url, filled, size)
            filled = size
            receive_ms[size] = [_receive_ms(aws, url) for _ in range(scale.pick(10, 50))]
            by_messages.append(_SizeResult(size, meter))
            for _ in range(repetitions):
                by_messages[-1].measure()
    return _report(scale, by_orders, by_messages, receive_ms)


def _imported(aws: EmulatorFixture, orders: int) -> AwsResources:
    """Create tables with so many old orders by DynamoDB's import from S3."""
    resources = AwsResources.on(aws, f"-{orders}", old_orders=orders > 0)
    if orders == 0:
        return resources
    dynamodb, s3 = aws.clients.client("dynamodb"), _s3(aws)
    bucket = f"bench-old-orders-{orders}"
    s3.create_bucket(Bucket=bucket)
    for start in range(0, orders, _LINES_AN_OBJECT):
        lines = (_line(number) for number in range(start, min(start + _LINES_AN_OBJECT, orders)))
        s3.put_object(Bucket=bucket, Key=f"{start:08}.json", Body="\n".join(lines).encode())
    started = dynamodb.import_table(
        S3BucketSource={"S3Bucket": bucket},
        InputFormat="DYNAMODB_JSON",
        TableCreationParameters={
            "TableName": resources.orders,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        },
    )["ImportTableDescription"]
    deadline = time.monotonic() + _IMPORT_SECONDS
    while started["ImportStatus"] == "IN_PROGRESS":
        if time.monotonic() > deadline:
            raise RuntimeError(f"{orders} orders were not imported in {_IMPORT_SECONDS:.0f} s")
        time.sleep(0.2)
        started = dynamodb.describe_import(ImportArn=started["ImportArn"])["ImportTableDescription"]
    if started.get("ImportedItemCount") != orders:
        raise RuntimeError(f"the import of {orders} orders ended as {started['ImportStatus']}")
    return resources


def _line(number: int) -> str:
    return json.dumps(
        {"Item": {"pk": {"S": f"{TENANT}#old-{number:07}"}, "status": {"S": Status.CONFIRMED.value}}}
    )


def _s3(aws: EmulatorFixture) -> Any:  # noqa: ANN401 - nothing else here needs its types
    config = Config(s3={"addressing_style": "path"})
    return botocore.session.get_session().create_client("s3", endpoint_url=aws.endpoint, config=config)


def _fill_queue(aws: EmulatorFixture, url: str, start: int, end: int) -> None:
    sqs = aws.clients.client("sqs")
    body = order_placed_body("order-of-the-queue", _SKUS[0])

    def send(at: int) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n in range(min(10, end - at))]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]

    with ThreadPoolExecutor(max_workers=_WRITERS) as pool:
        list(pool.map(send, range(start, end, 10)))


def _receive_ms(aws: EmulatorFixture, url: str) -> float:
    """Receive ten messages, which stay visible, and return the milliseconds it took."""
    sqs = aws.clients.client("sqs")
    started = time.perf_counter()
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return (time.perf_counter() - started) * 1_000


def _report(
    scale: Scale,
    by_orders: list[_SizeResult],
    by_messages: list[_SizeResult],
    receive_ms: Mapping[int, Sequence[float]],
) -> Report:
    sizes = [number(it.size) for it in by_orders]
    return Report(
        name="table-size",
        title="Order time by table and queue size",
        question="Does an order take longer when a million orders are stored or a hundred thousand messages "
        "wait?",
        method=_method(scale),
        findings=_findings(by_orders, by_messages, receive_ms),
        tables=(
            _table("By orders in the table", "orders", by_orders),
            _table("By messages in a queue", "messages", by_messages),
            Table(
                "Receiving ten messages from that queue",
                ("messages", "ms"),
                [(number(size), Spread.of(times).text()) for size, times in receive_ms.items()],
                "The emulator's own time; it says nothing about SQS.",
            ),
        ),
        charts=(
            Chart(
                "Milliseconds per order by orders in the table",
                sizes,
                {
                    "our CPU time": [Spread.of(it.ours).median for it in by_orders],
                    "time in the functions": [Spread.of(it.wall).median for it in by_orders],
                    "emulator CPU time": [Spread.of(it.emulator).median for it in by_orders],
                },
                "orders in the table",
                "ms per order",
            ),
        ),
        series={
            f"{what} of {it.size:,} {of}: {name}, ms per order": values
            for what, of, size_results in (("table", "orders", by_orders), ("queue", "messages", by_messages))
            for it in size_results
            for name, values in (("our CPU", it.ours), ("wall time", it.wall), ("emulator CPU", it.emulator))
        },
    )


def _table(title: str, of: str, size_results: Sequence[_SizeResult]) -> Table:
    empty = size_results[0]
    rows = [
        (
            number(it.size),
            Spread.of(it.ours).text(),
            f"{ratio(it.ours, empty.ours).text()} ×",
            Spread.of(it.wall).text(),
            f"{ratio(it.wall, empty.wall).text()} ×",
            Spread.of(it.emulator).text(),
            ", ".join(f"{name} {number(calls)}" for name, calls in it.calls.items()),
        )
        for it in size_results
    ]
    columns = (
        of,
        "our CPU, ms per order",
        "/ empty",
        "in the functions, ms per order",
        "/ empty",
        "emulator CPU, ms per order",
        "calls per order",
    )
    return Table(title, columns, rows)


def _method(scale: Scale) -> list[str]:
    return [
        (
            f"{scale.pick(200, 500)} orders over 1,000 SKUs at a time, in batches of {_BATCH}, through the "
            f"order and the payment function in one process; {scale.pick(3, 6)} repetitions of each size."
        ),
        (
            "A table for each size is filled with old orders by DynamoDB's import from S3 into the "
            "emulator: items with key and status only, as only their number can affect lookups by key. The "
            "tables exist together and are measured in turns."
        ),
        (
            "The queue is filled by SendMessageBatch on a separate emulator. It cannot be emptied between "
            "repetitions, so its sizes are measured one after the other, and these ratios are noisier."
        ),
    ]


def _findings(
    by_orders: list[_SizeResult], by_messages: list[_SizeResult], receive_ms: Mapping[int, Sequence[float]]
) -> list[str]:
    first, last = by_orders[0], by_orders[-1]
    same = all(
        abs(calls - first.calls[name]) < 0.01
        for size_result in by_orders
        for name, calls in size_result.calls.items()
    )
    stored = (
        f"With {last.size:,} orders stored, an order takes {ratio(last.ours, first.ours).text()} times our "
        f"CPU time of an empty table and {ratio(last.wall, first.wall).text()} times as long in the "
        f"functions, emulator included; it makes {'the same' if same else 'other'} calls."
    )
    empty, full = by_messages[0], by_messages[-1]
    some, many = (Spread.of(receive_ms[it.size]).median for it in (by_messages[1], full))
    waiting = (
        f"With {full.size:,} messages waiting, it takes {ratio(full.ours, empty.ours).text()} times our "
        f"CPU time; the emulator takes {number(many)} ms to deliver ten of them, {number(some)} ms "
        f"when {by_messages[1].size:,} wait."
    )
    return [stored, waiting]
