"""Tables and sentences of the benchmark `per-order`. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

from benchmarks.harness.report import Chart, Report, Table
from benchmarks.harness.statistics import Spread, number
from benchmarks.harness.targets import TargetResult
from scripts.cost.measurements import BATCHES, METRICS, MIXES, OUTCOMES, name
from services.shared.messages import RECEIVED_AT_ONCE

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


_METHOD = """
The handlers run in this process, wired as on AWS, on a separate emulator. A figure is a sum over whole
batches divided by their orders, after a warm-up that fills the price cache and opens connections.

Calls and bytes come from botocore's events. Write units are those that transactions report; cancelled ones,
for which the API reports none, count in full. Read units follow DynamoDB's rules for the items read. Log
bytes include Lambda's own lines and the 26 bytes billed per line.

Stages count how often a handler waits for AWS: concurrent calls are one stage.

Spread and baskets: over 100 SKUs. Rejected: the first SKU is sold out. Expiry: the order is already settled.
"""


def report(series: Series, repetitions: int) -> Report:
    hot = [series[name("confirmed", "hot", 100, f"writeUnits.{table}")] for table in ("orders", "inventory")]
    units_per_order = Spread.of([sum(units) for units in zip(*hot, strict=True)])
    alone = _middle(series, Scenario("confirmed", "hot", 1), "writeUnits")
    spread = _middle(series, Scenario("confirmed", "spread", 100), "writeUnits")
    turns = f"""
    {repetitions} repetitions, scenarios forwards and backwards in turns; times as median (lowest to highest).
    Counts vary only where events arrive in another order.
    """
    findings = f"""
    Orders for the same SKU write {units_per_order.text()} units each in full batches, and {number(alone)}
    one at a time.

    Spread evenly over {SPREAD} SKUs a full batch has no writes to merge: each order writes its own SKU twice
    and takes {number(spread)} units. The target is met where orders share SKUs.
    """
    return Report(
        name="per-order",
        title="What one order takes",
        question=_flat(
            """How many calls, bytes, DynamoDB units, events, log bytes and milliseconds does an order take by
            batch size? Counted from placed to settled, with the expiry check at the end of its hold."""
        ),
        method=[*map(_flat, _METHOD.split("\n\n")), _flat(turns)],
        findings=[*map(_flat, findings.split("\n\n")), *_shares(series)],
        charts=[_chart(series)],
        tables=[_counts(series, mix) for mix in MIXES]
        + [_calls(series), _times(series), _metrics_table(series)],
        targets=[
            TargetResult(
                "write-units",
                units_per_order,
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
    """Return the median of a figure; one with parts is their sum."""
    whole = name(of.outcome, of.mix, of.batch, figure)
    return sum(
        median(values) for key, values in series.items() if key == whole or key.startswith(f"{whole}.")
    )


def _functions(series: Series, of: Scenario, figure: str) -> float:
    return sum(_middle(series, of, f"{function}.{figure}") for function in _FUNCTIONS)


def _shares(series: Series) -> list[str]:
    def comparison(figure: str, unit: str) -> str:
        alone, full = (_functions(series, Scenario("confirmed", "hot", batch), figure) for batch in (1, 100))
        times = f"({number(alone / full)} ×)"
        return f"{number(full)} {unit} in full batches and {number(alone)} one at a time {times}"

    return [
        f"An order logs {comparison('logBytes', 'bytes')}.",
        f"The handlers take {comparison('cpuMs', 'ms of CPU')}.",
    ]


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
        note="SQS requests follow from messages: sent singly, received and deleted up to ten at a time.",
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
        ("function", "batch", "ms of CPU per order", "ms per order with the emulator", "stages per call"),
        rows,
        note=_flat(
            """The difference is waiting for the emulator. The cost model uses CPU, and stages times an
            assumed response time of AWS."""
        ),
    )


def _metrics_table(series: Series) -> Table:
    rows = [[key, number(median(values))] for key, values in series.items() if not key.startswith(OUTCOMES)]
    return Table("Metrics: per collection and per scrape", ("figure", "value"), rows)
