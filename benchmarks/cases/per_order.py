"""What one order costs: calls, bytes, DynamoDB units, events, log and handler time, by how full a batch is.

The cost model (scripts/cost) reads what this writes, so that every figure of it can be measured again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import cycle, product
from random import Random
from uuid import uuid4

from benchmarks.cases.per_order_report import SPREAD, Scenario, report
from benchmarks.fixtures.functions import TENANT
from benchmarks.fixtures.metrics_collection import upkeep
from benchmarks.fixtures.pipeline import Ran, Workshop, message, open_workshop
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
    with open_workshop() as shop:
        _stock(shop)
        for scenario in scenarios:
            _measure(shop, scenario, 2 * scenario.batch)  # prices remembered, connections open
        for repetition in range(repetitions):
            # Every other round backwards, so that no scenario is always the one behind another.
            for scenario in scenarios if repetition % 2 == 0 else reversed(scenarios):
                orders = max(scale.pick(10, 20), scenario.batch)
                for figure, value in _measure(shop, scenario, orders).items():
                    series[name(scenario.outcome, scenario.mix, scenario.batch, figure)].append(value)
        for figure, value in upkeep(shop).items():
            series[figure].append(value)
    return report(series, repetitions)


def _stock(shop: Workshop) -> None:
    shop.place.stock(["hot", *(f"sku-{number:03}" for number in range(SPREAD))])
    shop.place.books().seed([Stock(Key(TENANT, "sold-out"), 0, 0, 0, Price(1_999, "USD"))])


def _measure(shop: Workshop, scenario: Scenario, orders: int) -> Figures:
    """Take orders through all their functions, and return what each order took on average."""
    took: dict[str, list[Ran]] = {"order": [], "payment": [], "expiry": []}
    told: list[Mapping[str, str]] = []
    for placed in in_batches(_placed(scenario, orders), lambda _: 0, most=scenario.batch):
        told += placed
        took["order"].append(ran := shop.run("order", [message(entry) for entry in placed]))
        published = aws_call_recorder.entries(ran.heard.calls)
        told += published
        if requested := [message(it) for it in published if it["DetailType"] == "PaymentRequested"]:
            took["payment"].append(ran := shop.run("payment", requested))
            told += aws_call_recorder.entries(ran.heard.calls)
            took["expiry"].append(shop.run("expiry", requested))
    return _figures(shop, took, told, orders)


def _placed(scenario: Scenario, orders: int) -> list[Mapping[str, str]]:
    chance = Random(2026)
    spread = cycle(range(SPREAD))
    method = _METHODS[scenario.outcome]

    def skus() -> list[str]:
        width = MIXES[scenario.mix]
        if scenario.mix == "hot":
            return ["hot"]
        if width == 1:
            return [f"sku-{next(spread):03}"]
        return [f"sku-{number:03}" for number in chance.sample(range(SPREAD), width)]

    def details() -> str:
        wanted = skus()
        if scenario.outcome == "rejected":
            wanted[0] = "sold-out"
        items = ",".join(f'{{"sku":"{sku}","quantity":1}}' for sku in wanted)
        return (
            f'{{"orderId":"{uuid4()}","customerId":"customer-{chance.randrange(10**6):06}",'
            f'"paymentMethod":"{method}","items":[{items}]}}'
        )

    return [{"Source": "shop", "DetailType": "OrderPlaced", "Detail": details()} for _ in range(orders)]


def _figures(
    shop: Workshop, took: Mapping[str, Sequence[Ran]], told: Sequence[Mapping[str, str]], orders: int
) -> Figures:
    whole: dict[str, float] = {}
    for function, rans in took.items():
        whole |= {
            f"{function}.invocations": len(rans),
            f"{function}.cpuMs": 1000 * sum(ran.cpu_seconds for ran in rans),
            f"{function}.wallMs": 1000 * sum(ran.wall_seconds for ran in rans),
            f"{function}.stages": sum(ran.heard.stages for ran in rans),
            f"{function}.logBytes": sum(ran.log_bytes for ran in rans),
        }
    calls = [call for rans in took.values() for ran in rans for call in ran.heard.calls]
    whole |= {f"calls.{operation}": made for operation, made in aws_call_recorder.operations(calls).items()}
    units = aws_call_recorder.transaction_units(calls)
    written = [item_bytes(put["Item"]) for put in aws_call_recorder.actions(calls, "Put")]
    sizes = [aws_call_recorder.entry_bytes(entry) for entry in told]
    messages = Counter(entry["DetailType"] for entry in told)
    whole |= {
        "requestBytes": sum(len(call.request) for call in calls),
        "responseBytes": sum(len(call.response) for call in calls),
        "writeUnits.orders": units[shop.place.orders],
        "writeUnits.inventory": units[shop.place.inventory],
        "writeUnits.cancelled": aws_call_recorder.cancelled_units(calls),
        "readUnits": aws_call_recorder.consistent_read_units(calls),
        "skuWrites": len(aws_call_recorder.actions(calls, "Update")),
        "events": len(told),
        "eventBytes": sum(sizes),
        "messages": messages["OrderPlaced"] + 2 * messages["PaymentRequested"],
    }
    return {figure: value / orders for figure, value in whole.items()} | {
        "largestEventBytes": max(sizes),
        "largestItemBytes": max(written),
    }
