"""What the benchmark `per-order` says of its figures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Spread, number
from benchmarks.harness.targets import TargetResult
from scripts.cost.measurements import BATCHES, METRICS, MIXES, OUTCOMES, name
from scripts.cost.model import RECEIVED_AT_ONCE

SPREAD = 100
"""SKUs that orders are spread over."""
_FUNCTIONS = ("order", "payment", "expiry")
_TITLES = {
    "hot": "all for the same SKU",
    "spread": f"one SKU each, spread over {SPREAD}",
    "basket3": "3 SKUs each",
    "basket10": "10 SKUs each",
}
Series = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Scenario:
    outcome: str
    mix: str
    batch: int


_MEASURED = """
The handlers in this process, bound as on AWS, over an emulator of their own; a figure is a sum over whole
batches divided by their orders, after a warm-up that leaves prices remembered and connections open.

Calls and bytes from botocore's own events; write units as transactions report them, of cancelled ones, of
which the API does not tell, counted in full; read units by DynamoDB's rules from the items read; log
bytes with the lines of Lambda itself, and the 26 bytes that each line is billed on top.

Stages say how often a handler waits for AWS: calls made side by side are one stage.

Spread and baskets: over 100 SKUs. Rejected: the first SKU is sold out. Expiry: finds the order settled.
"""


def report(series: Series, repetitions: int) -> Report:
    hot = [series[name("confirmed", "hot", 100, f"writeUnits.{table}")] for table in ("orders", "inventory")]
    settled = Spread.of([sum(units) for units in zip(*hot, strict=True)])
    alone = _middle(series, Scenario("confirmed", "hot", 1), "writeUnits")
    spread = _middle(series, Scenario("confirmed", "spread", 100), "writeUnits")
    turns = f"""
    {repetitions} repetitions, scenarios forwards and backwards in turns; times as median (lowest to highest).
    Counts vary only as far as events overtake each other.
    """
    found = f"""
    Orders for one and the same SKU write {settled.text()} units each in full batches, and {number(alone)} one
    by one.

    Spread evenly over {SPREAD} SKUs a full batch has nothing to add up: each order writes its own SKU, twice,
    and takes {number(spread)} units. The target is reached where orders share SKUs.
    """
    return Report(
        name="per-order",
        title="What one order takes",
        question=_flat(
            """How many calls, bytes, DynamoDB units, events, log bytes and milliseconds does an order take by
            batch size? Counted from placed to settled, with the expiry check at the end of its hold."""
        ),
        method=[*map(_flat, _MEASURED.split("\n\n")), _flat(turns)],
        findings=[*map(_flat, found.split("\n\n")), *_shares(series)],
        charts=[_chart(series)],
        tables=[_counts(series, mix) for mix in MIXES] + [_calls(series), _times(series), _upkeep(series)],
        targets=[
            TargetResult(
                "write-units",
                settled,
                lower_bound="4: two writes of the order",
                usual="8: one transaction per order",
            )
        ],
        series={_scenario_and_figure(key): values for key, values in series.items()},
    )


def _scenario_and_figure(key: str) -> str:
    scenario, _, figure = key.rpartition("/")
    return f"{scenario or METRICS}: {figure}"


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


_OPERATIONS = ("TransactWriteItems", "BatchGetItem", "PutEvents")


def _calls(series: Series) -> Table:
    rows = []
    for outcome, batch in product(OUTCOMES, BATCHES):
        of = Scenario(outcome, "hot", batch)
        made = [_middle(series, of, f"calls.{operation}") for operation in _OPERATIONS]
        messages = _middle(series, of, "messages")
        handled = messages * (1 + 2 / min(batch, RECEIVED_AT_ONCE))
        rows.append([outcome, str(batch), *map(number, made), number(handled)])
    return Table(
        "Calls per order, all for the same SKU",
        ("outcome", "batch", *_OPERATIONS, "SQS requests"),
        rows,
        note="SQS requests follow from messages: sent one by one, received and deleted up to ten at a time.",
    )


def _times(series: Series) -> Table:
    rows = []
    for function, batch in product(_FUNCTIONS, BATCHES):
        of = Scenario("confirmed", "spread", batch)
        times = [
            Spread.of(series[name(of.outcome, of.mix, batch, f"{function}.{figure}")]).text()
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
