"""Measures calls, bytes, DynamoDB units, events, log and handler time per order by batch size.

The cost model (scripts/cost) reads the summary of this benchmark.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle, product
from random import Random
from uuid import uuid4

from benchmarks.cases.per_order_report import SPREAD, Scenario, report
from benchmarks.fixtures.functions import TENANT
from benchmarks.fixtures.metrics_collection import measure_metrics
from benchmarks.fixtures.pipeline import Invocation, PipelineFixture, message, pipeline_fixture
from benchmarks.harness import aws_call_recorder
from benchmarks.harness.dynamodb_capacity import item_bytes
from benchmarks.harness.report import Report
from benchmarks.harness.statistics import Scale
from scripts.cost.measurements import BATCHES, MIXES, OUTCOMES, name
from services.shared.adapters.clients import in_batches
from services.shared.ledger import Key, Price, Stock

_METHODS = {"confirmed": "sim_ok", "declined": "sim_declined", "rejected": "sim_ok"}
Figures = Mapping[str, float]


def run(scale: Scale) -> Report:
    repetitions = scale.pick(1, 5)
    series: defaultdict[str, list[float]] = defaultdict(list)
    scenarios = [Scenario(*it) for it in product(OUTCOMES, MIXES, BATCHES)]
    with pipeline_fixture() as pipeline:
        _stock(pipeline)
        for scenario in scenarios:
            _measure(pipeline, scenario, 2 * scenario.batch)  # fills the price cache, opens connections
        for repetition in range(repetitions):
            # Every other round runs backwards, so that no scenario always follows the same one.
            for scenario in scenarios if repetition % 2 == 0 else reversed(scenarios):
                orders = max(scale.pick(10, 20), scenario.batch)
                for figure, value in _measure(pipeline, scenario, orders).items():
                    series[name(scenario.outcome, scenario.mix, scenario.batch, figure)].append(value)
        for figure, value in measure_metrics(pipeline).items():
            series[figure].append(value)
    return report(series, repetitions)


def _stock(pipeline: PipelineFixture) -> None:
    pipeline.resources.stock(["hot", *(f"sku-{number:03}" for number in range(SPREAD))])
    pipeline.resources.store().seed([Stock(Key(TENANT, "sold-out"), 0, 0, 0, Price(1_999, "USD"))])


def _measure(pipeline: PipelineFixture, scenario: Scenario, orders: int) -> Figures:
    """Send orders through all functions and return the averages per order."""
    invocations: dict[str, list[Invocation]] = {"order": [], "payment": [], "expiry": []}
    entries: list[Mapping[str, str]] = []
    for placed in in_batches(_placed(scenario, orders), lambda _: 0, most=scenario.batch):
        entries += placed
        invocations["order"].append(invocation := pipeline.run("order", [message(entry) for entry in placed]))
        published = aws_call_recorder.entries(invocation.recorded.calls)
        entries += published
        if requested := [message(it) for it in published if it["DetailType"] == "PaymentRequested"]:
            invocations["payment"].append(invocation := pipeline.run("payment", requested))
            entries += aws_call_recorder.entries(invocation.recorded.calls)
            invocations["expiry"].append(pipeline.run("expiry", requested))
    return _figures(pipeline, invocations, entries, orders)


def _placed(scenario: Scenario, orders: int) -> list[Mapping[str, str]]:
    rng = Random(2026)
    spread = cycle(range(SPREAD))
    method = _METHODS[scenario.outcome]

    def skus() -> list[str]:
        width = MIXES[scenario.mix]
        if scenario.mix == "hot":
            return ["hot"]
        if width == 1:
            return [f"sku-{next(spread):03}"]
        return [f"sku-{number:03}" for number in rng.sample(range(SPREAD), width)]

    def details() -> str:
        order_skus = skus()
        if scenario.outcome == "rejected":
            order_skus[0] = "sold-out"
        items = ",".join(f'{{"sku":"{sku}","quantity":1}}' for sku in order_skus)
        return (
            f'{{"orderId":"{uuid4()}","customerId":"customer-{rng.randrange(10**6):06}",'
            f'"paymentMethod":"{method}","items":[{items}]}}'
        )

    return [{"Source": "shop", "DetailType": "OrderPlaced", "Detail": details()} for _ in range(orders)]


def _figures(
    pipeline: PipelineFixture,
    invocations: Mapping[str, Sequence[Invocation]],
    entries: Sequence[Mapping[str, str]],
    orders: int,
) -> Figures:
    totals: dict[str, float] = {}
    for function, runs in invocations.items():
        totals |= {
            f"{function}.invocations": len(runs),
            f"{function}.cpuMs": 1000 * sum(invocation.cpu_seconds for invocation in runs),
            f"{function}.wallMs": 1000 * sum(invocation.wall_seconds for invocation in runs),
            f"{function}.stages": sum(invocation.recorded.stages for invocation in runs),
            f"{function}.logBytes": sum(invocation.log_bytes for invocation in runs),
        }
    calls = [
        call for runs in invocations.values() for invocation in runs for call in invocation.recorded.calls
    ]
    totals |= {f"calls.{operation}": made for operation, made in aws_call_recorder.operations(calls).items()}
    units = aws_call_recorder.transaction_units(calls)
    written = [item_bytes(put["Item"]) for put in aws_call_recorder.actions(calls, "Put")]
    sizes = [aws_call_recorder.entry_bytes(entry) for entry in entries]
    messages = Counter(entry["DetailType"] for entry in entries)
    totals |= {
        "requestBytes": sum(len(call.request) for call in calls),
        "responseBytes": sum(len(call.response) for call in calls),
        "writeUnits.orders": units[pipeline.resources.orders],
        "writeUnits.inventory": units[pipeline.resources.inventory],
        "writeUnits.cancelled": aws_call_recorder.cancelled_units(calls),
        "readUnits": aws_call_recorder.consistent_read_units(calls),
        "skuWrites": len(aws_call_recorder.actions(calls, "Update")),
        "events": len(entries),
        "eventBytes": sum(sizes),
        "messages": messages["OrderPlaced"] + 2 * messages["PaymentRequested"],
    }
    return {figure: value / orders for figure, value in totals.items()} | {
        "largestEventBytes": max(sizes),
        "largestItemBytes": max(written),
    }
