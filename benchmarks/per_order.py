"""What one order costs: calls, bytes, DynamoDB units, events, log and handler time, by how full a batch is.

The cost model (scripts/cost) reads what this writes, so that every figure of it can be measured again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, product
from random import Random
from statistics import median
from uuid import uuid4

from benchmarks import wiretap
from benchmarks.capacity import item_bytes
from benchmarks.functions import TENANT
from benchmarks.measuring import Scale, Spread, number
from benchmarks.metrics_upkeep import upkeep
from benchmarks.report import Chart, Report, Table
from benchmarks.targets import Reached
from benchmarks.workshop import Ran, Workshop, message, open_workshop
from scripts.cost.figures import BATCHES, MIXES, OUTCOMES, name
from services.shared.aws import in_batches
from services.shared.ledger import Key, Price, Stock

_SKUS = 100
_FUNCTIONS = ("order", "payment", "expiry")
_METHODS = {"confirmed": "sim_ok", "declined": "sim_declined", "rejected": "sim_ok"}
_TITLES = {
    "hot": "all for the same SKU",
    "spread": f"one SKU each, spread over {_SKUS}",
    "basket3": "3 SKUs each",
    "basket10": "10 SKUs each",
}
Figures = Mapping[str, float]
Series = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Scenario:
    outcome: str
    mix: str
    batch: int


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
    return _report(series, repetitions)


def _stock(shop: Workshop) -> None:
    shop.place.stock(["hot", *(f"sku-{number:03}" for number in range(_SKUS))])
    shop.place.books().seed([Stock(Key(TENANT, "sold-out"), 0, 0, 0, Price(1_999, "USD"))])


def _measure(shop: Workshop, scenario: Scenario, orders: int) -> Figures:
    """Take orders through all their functions, and return what each order took on average."""
    took: dict[str, list[Ran]] = {"order": [], "payment": [], "expiry": []}
    told: list[Mapping[str, str]] = []
    for placed in in_batches(_placed(scenario, orders), lambda _: 0, most=scenario.batch):
        told += placed
        took["order"].append(ran := shop.run("order", [message(entry) for entry in placed]))
        published = wiretap.entries(ran.heard.calls)
        told += published
        if requested := [message(it) for it in published if it["DetailType"] == "PaymentRequested"]:
            took["payment"].append(ran := shop.run("payment", requested))
            told += wiretap.entries(ran.heard.calls)
            took["expiry"].append(shop.run("expiry", requested))
    return _figures(shop, took, told, orders)


def _placed(scenario: Scenario, orders: int) -> list[Mapping[str, str]]:
    chance = Random(2026)
    spread = cycle(range(_SKUS))
    method = _METHODS[scenario.outcome]

    def skus() -> list[str]:
        width = MIXES[scenario.mix]
        if scenario.mix == "hot":
            return ["hot"]
        if width == 1:
            return [f"sku-{next(spread):03}"]
        return [f"sku-{number:03}" for number in chance.sample(range(_SKUS), width)]

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
    whole |= {f"calls.{operation}": made for operation, made in wiretap.operations(calls).items()}
    units = wiretap.transaction_units(calls)
    written = [item_bytes(put["Item"]) for put in wiretap.actions(calls, "Put")]
    sizes = [wiretap.entry_bytes(entry) for entry in told]
    messages = Counter(entry["DetailType"] for entry in told)
    whole |= {
        "requestBytes": sum(len(call.request) for call in calls),
        "responseBytes": sum(len(call.response) for call in calls),
        "writeUnits.orders": units[shop.place.orders],
        "writeUnits.inventory": units[shop.place.inventory],
        "writeUnits.cancelled": wiretap.cancelled_units(calls),
        "readUnits": wiretap.consistent_read_units(calls),
        "skuWrites": len(wiretap.actions(calls, "Update")),
        "events": len(told),
        "eventBytes": sum(sizes),
        "messages": messages["OrderPlaced"] + 2 * messages["PaymentRequested"],
    }
    return {figure: value / orders for figure, value in whole.items()} | {
        "largestEventBytes": max(sizes),
        "largestItemBytes": max(written),
    }


# --- the report ---------------------------------------------------------------------------------------

_MEASURED = """
The handlers in this process, bound as on AWS, over an emulator of their own; a figure is a sum over whole
batches divided by their orders, after a warm-up that leaves prices remembered and connections open.

Calls and bytes from botocore's own events; write units as transactions report them, of cancelled ones, of
which the API does not tell, counted in full; read units by DynamoDB's rules from the items read; log
bytes with the lines of Lambda itself, and the 26 bytes that each line is billed on top.

Stages say how often a handler waits for AWS: calls made side by side are one stage.

Spread and baskets: over 100 SKUs. Rejected: the first SKU is sold out. Expiry: finds the order settled.
"""


def _report(series: Series, repetitions: int) -> Report:
    hot = [series[name("confirmed", "hot", 100, f"writeUnits.{table}")] for table in ("orders", "inventory")]
    settled = Spread.of([sum(units) for units in zip(*hot, strict=True)])
    alone = _middle(series, Scenario("confirmed", "hot", 1), "writeUnits")
    spread = _middle(series, Scenario("confirmed", "spread", 100), "writeUnits")
    turns = f"""
    {repetitions} repetitions, scenarios forwards and backwards in turns; times as median (lowest to highest).
    Counts vary only as far as events overtake each other.
    """
    found = f"""
    Orders for one and the same SKU write {settled.told()} units each in full batches, and {number(alone)} one
    by one.

    Spread evenly over {_SKUS} SKUs a full batch has nothing to add up: each order writes its own SKU, twice,
    and takes {number(spread)} units. The target is reached where orders share SKUs.
    """
    return Report(
        name="per-order",
        title="What one order takes",
        asked=_flat(
            """How many calls, bytes, DynamoDB units, events, log bytes and milliseconds does an order take,
            by how full the batches are? From placed to settled, and looked at again when its hold is over."""
        ),
        measured=[*map(_flat, _MEASURED.split("\n\n")), _flat(turns)],
        findings=[*map(_flat, found.split("\n\n")), *_shares(series)],
        charts=[_chart(series)],
        tables=[_counts(series, mix) for mix in MIXES] + [_times(series), _upkeep(series)],
        reached=[
            Reached(
                "write-units",
                settled,
                floor="4: the order's own two writes",
                usual="8: an order a transaction",
            )
        ],
        series=series,
    )


def _flat(text: str) -> str:
    return " ".join(text.split())


def _middle(series: Series, of: Scenario, figure: str) -> float:
    """Look a figure up; one with parts is the sum of them."""
    whole = name(of.outcome, of.mix, of.batch, figure)
    return sum(
        median(values) for key, values in series.items() if key == whole or key.startswith(f"{whole}.")
    )


def _functions(series: Series, of: Scenario, figure: str) -> float:
    return sum(_middle(series, of, f"{function}.{figure}") for function in _FUNCTIONS)


def _shares(series: Series) -> list[str]:
    def told(figure: str, unit: str) -> str:
        alone, full = (_functions(series, Scenario("confirmed", "hot", batch), figure) for batch in (1, 100))
        return (
            f"{number(full)} {unit} in full batches against {number(alone)} alone ({number(alone / full)} ×)"
        )

    return [f"Its log is {told('logBytes', 'bytes')}.", f"Its handlers take {told('cpuMs', 'ms of CPU')}."]


_COUNTED = {
    "AWS calls": "calls",
    "write units": "writeUnits",
    "read units": "readUnits",
    "events": "events",
    "event bytes": "eventBytes",
    "messages": "messages",
    "request bytes": "requestBytes",
    "response bytes": "responseBytes",
}


def _chart(series: Series) -> Chart:
    lines = {
        title: [_middle(series, Scenario("confirmed", mix, batch), "writeUnits") for batch in BATCHES]
        for mix, title in _TITLES.items()
    }
    labels = list(map(str, BATCHES))
    return Chart(
        "DynamoDB write units per settled order", labels, lines, "orders in a batch", "units", bars=True
    )


def _counts(series: Series, mix: str) -> Table:
    rows = []
    for outcome, batch in product(OUTCOMES, BATCHES):
        of = Scenario(outcome, mix, batch)
        counted = [_middle(series, of, figure) for figure in _COUNTED.values()]
        counted += [_functions(series, of, figure) for figure in ("invocations", "logBytes")]
        rows.append([outcome, str(batch), *map(number, counted)])
    columns = ("outcome", "batch", *_COUNTED, "Lambda calls", "log bytes")
    return Table(f"Per order: {_TITLES[mix]}", columns, rows)


def _times(series: Series) -> Table:
    rows = []
    for function, batch in product(_FUNCTIONS, BATCHES):
        of = Scenario("confirmed", "spread", batch)
        times = [
            Spread.of(series[name(of.outcome, of.mix, batch, f"{function}.{figure}")]).told()
            for figure in ("cpuMs", "wallMs")
        ]
        stages, calls = (_middle(series, of, f"{function}.{figure}") for figure in ("stages", "invocations"))
        rows.append([function, str(batch), *times, number(stages / calls)])
    return Table(
        "Handler time per confirmed order, one SKU each, spread",
        ("function", "batch", "ms of CPU per order", "ms per order over the emulator", "stages per call"),
        rows,
        note=_flat(
            """What is not CPU is waiting for the emulator. The cost model reckons with CPU, and with stages
            times an assumed time for an answer of AWS."""
        ),
    )


def _upkeep(series: Series) -> Table:
    rows = [[key, number(median(values))] for key, values in series.items() if not key.startswith(OUTCOMES)]
    return Table("What the metrics take: each collection, each scrape", ("figure", "value"), rows)
