"""Whether an order takes longer the more orders there have been, or the more messages wait."""

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

from benchmarks.fixtures.emulator import Emulated, emulated
from benchmarks.fixtures.functions import TENANT, Functions, Place, placed, quiet
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
class _Look:
    """What an order takes at one size, in milliseconds, and which calls it makes."""

    size: int
    meter: "_Meter"
    ours: list[float] = field(default_factory=list)
    """Processor time of our process, per order."""
    wall: list[float] = field(default_factory=list)
    """Time in the functions, per order."""
    emulator: list[float] = field(default_factory=list)
    """Processor time of the emulator, per order."""

    def take(self) -> float:
        ours, wall, emulator = self.meter.measure()
        self.ours.append(ours)
        self.wall.append(wall)
        self.emulator.append(emulator)
        return ours

    @property
    def calls(self) -> dict[str, float]:
        return {name: made / self.meter.measured for name, made in self.meter.made.items()}


@dataclass
class _Meter:
    place: Place
    functions: Functions
    orders: int
    measured: int = 0
    made: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_CALLS, 0))

    @classmethod
    def on(cls, place: Place, orders: int) -> "_Meter":
        place.stock(_SKUS)
        meter = cls(place, Functions(place), orders)
        meter.measure()  # so that prices are known from now on
        meter.measured = 0
        for client in (meter.functions.calls.dynamodb, meter.functions.calls.events):
            client.meta.events.register("before-call", meter.heard)
        return meter

    def heard(self, model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
        if model.name in self.made:
            self.made[model.name] += 1

    def measure(self) -> tuple[float, float, float]:
        run = f"grow-{time.monotonic_ns():020}"
        self.measured += self.orders
        ids = [f"{run}-{n:05}" for n in range(self.orders)]
        bodies = [placed(*pair) for pair in zip(ids, islice(cycle(_SKUS), self.orders), strict=True)]
        gc.collect()  # a full pass in the middle would be one size's bad luck
        first = self._clocks()
        self.functions.place(bodies, _BATCH)
        between = self._clocks()
        requests = self.place.payment_requests(ids)
        second = self._clocks()
        self.functions.pay(requests, _BATCH)
        end = self._clocks()
        ours, wall, emulator = (
            (b - a + d - c) * 1_000 / self.orders
            for a, b, c, d in zip(first, between, second, end, strict=True)
        )
        return ours, wall, emulator

    def _clocks(self) -> tuple[float, float, float]:
        return time.process_time(), time.perf_counter(), self.place.aws.cpu_seconds()


def run(scale: Scale) -> Report:
    tables = (0, 2_000, 10_000) if scale is Scale.QUICK else (0, 10_000, 100_000, 1_000_000)
    queues = (0, 2_000) if scale is Scale.QUICK else (0, 10_000, 100_000)
    repetitions, orders = scale.pick(3, 6), scale.pick(200, 500)
    with emulated() as aws, quiet():
        by_orders = [_Look(size, _Meter.on(_imported(aws, size), orders)) for size in tables]
        alternate({str(look.size): look.take for look in by_orders}, repetitions, warm_ups=0)
    taking: dict[int, list[float]] = {}
    with emulated() as aws, quiet():
        meter = _Meter.on(Place.on(aws), orders)
        url = aws.clients.client("sqs").create_queue(QueueName="bench-growth")["QueueUrl"]
        by_messages, filled = [], 0
        for size in queues:
            _fill_queue(aws, url, filled, size)
            filled = size
            taking[size] = [_take(aws, url) for _ in range(scale.pick(10, 50))]
            by_messages.append(_Look(size, meter))
            for _ in range(repetitions):
                by_messages[-1].take()
    return _report(scale, by_orders, by_messages, taking)


def _imported(aws: Emulated, orders: int) -> Place:
    """Make a place whose table of orders holds so many old ones, by DynamoDB's own import from S3."""
    place = Place.on(aws, f"-{orders}", old_orders=orders > 0)
    if orders == 0:
        return place
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
            "TableName": place.orders,
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
    return place


def _line(number: int) -> str:
    return json.dumps(
        {"Item": {"pk": {"S": f"{TENANT}#old-{number:07}"}, "status": {"S": Status.CONFIRMED.value}}}
    )


def _s3(aws: Emulated) -> Any:  # noqa: ANN401 - nothing else here needs its types
    config = Config(s3={"addressing_style": "path"})
    return botocore.session.get_session().create_client("s3", endpoint_url=aws.endpoint, config=config)


def _fill_queue(aws: Emulated, url: str, start: int, end: int) -> None:
    sqs = aws.clients.client("sqs")
    body = placed("order-of-the-queue", _SKUS[0])

    def send(at: int) -> None:
        entries = [{"Id": str(n), "MessageBody": body} for n in range(min(10, end - at))]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]

    with ThreadPoolExecutor(max_workers=_WRITERS) as pool:
        list(pool.map(send, range(start, end, 10)))


def _take(aws: Emulated, url: str) -> float:
    """Milliseconds to take ten messages from the queue; they are put back at once."""
    sqs = aws.clients.client("sqs")
    started = time.perf_counter()
    sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return (time.perf_counter() - started) * 1_000


def _report(
    scale: Scale, by_orders: list[_Look], by_messages: list[_Look], taking: Mapping[int, Sequence[float]]
) -> Report:
    sizes = [number(it.size) for it in by_orders]
    return Report(
        name="table-size",
        title="Order time by table and queue size",
        question="Does an order take longer when a million orders are stored or a hundred thousand messages "
        "wait?",
        method=_how(scale),
        findings=_findings(by_orders, by_messages, taking),
        tables=(
            _table("By orders in the table", "orders", by_orders),
            _table("By messages in a queue", "messages", by_messages),
            Table(
                "Taking ten messages from that queue",
                ("messages", "ms"),
                [(number(size), Spread.of(times).text()) for size, times in taking.items()],
                "The emulator's own time, which says nothing of SQS.",
            ),
        ),
        charts=(
            Chart(
                "Milliseconds per order, by orders in the table",
                sizes,
                {
                    "our processor time": [Spread.of(it.ours).median for it in by_orders],
                    "time in the functions": [Spread.of(it.wall).median for it in by_orders],
                    "the emulator's processor time": [Spread.of(it.emulator).median for it in by_orders],
                },
                "orders in the table",
                "ms per order",
            ),
        ),
        series={
            f"{what} of {it.size:,} {of}: {name}, ms per order": values
            for what, of, looks in (("table", "orders", by_orders), ("queue", "messages", by_messages))
            for it in looks
            for name, values in (("our CPU", it.ours), ("wall time", it.wall), ("emulator CPU", it.emulator))
        },
    )


def _table(title: str, of: str, looks: Sequence[_Look]) -> Table:
    empty = looks[0]
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
        for it in looks
    ]
    columns = (
        of,
        "our processor, ms per order",
        "against none",
        "in the functions, ms per order",
        "against none",
        "the emulator's processor, ms per order",
        "calls per order",
    )
    return Table(title, columns, rows)


def _how(scale: Scale) -> list[str]:
    functions = (
        f"{scale.pick(200, 500)} orders over 1,000 SKUs at a time, in batches of {_BATCH}, through the order "
        f"and the payment function inside one process; {scale.pick(3, 6)} repetitions of each size."
    )
    filled = (
        "A table for each size is filled with old orders by DynamoDB's import from S3 into the emulator: "
        "stubs of key and status, because only their number can matter to those who look up others by key. "
        "Tables stand side by side and are measured in turns."
    )
    turns = (
        "The queue is filled by SendMessageBatch, on an emulator of its own. It cannot be emptied between "
        "repetitions, so its sizes follow one another: these ratios carry more of the machine's moods."
    )
    return [functions, filled, turns]


def _findings(
    by_orders: list[_Look], by_messages: list[_Look], taking: Mapping[int, Sequence[float]]
) -> list[str]:
    first, last = by_orders[0], by_orders[-1]
    same = all(
        abs(calls - first.calls[name]) < 0.01 for look in by_orders for name, calls in look.calls.items()
    )
    stored = (
        f"With {last.size:,} orders stored an order takes {ratio(last.ours, first.ours).text()} times our "
        f"processor time of an empty table, and {ratio(last.wall, first.wall).text()} times as long in the "
        f"functions, emulator included; it makes {'as many' if same else 'other'} calls."
    )
    empty, full = by_messages[0], by_messages[-1]
    some, many = (Spread.of(taking[it.size]).median for it in (by_messages[1], full))
    waiting = (
        f"With {full.size:,} messages waiting it takes {ratio(full.ours, empty.ours).text()} times our "
        f"processor time; the emulator takes {number(many)} ms to hand over ten of them, {number(some)} ms "
        f"when {by_messages[1].size:,} wait."
    )
    return [stored, waiting]
