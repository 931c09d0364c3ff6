"""Tables and sentences of the benchmark `http-orders`. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.fixtures.http_orders import Load
from benchmarks.harness.report import Report, Table
from benchmarks.harness.statistics import Spread, quantile, ratio
from benchmarks.harness.targets import TargetResult
from scripts.cost.way_in import AT_REST, FIGURES, IN_A_BURST

HTTP, BUS = "POST /api/orders", "PutEvents"
CLIENTS = (1, 8)

Loads = Mapping[tuple[str, int], Sequence[Load]]
Taken = Mapping[str, Mapping[str, Sequence[float]]]
_NAMES = {
    "cpuMs": "ms of processor time",
    "stages": "calls one after another",
    "readUnits": "read units",
    "writeUnits": "write units",
    "storedBytes": "bytes stored",
    "logBytes": "bytes of log",
}


def report(loads: Loads, taken: Taken, repetitions: int) -> Report:
    return Report(
        name="http-orders",
        title="Orders over HTTP",
        question="How many orders a second does POST /api/orders accept, and how long does one take, beside "
        "PutEvents called directly? What does the function take to accept one?",
        method=_method(loads, repetitions),
        findings=list(_findings(loads, taken)),
        tables=(_loads_table(loads), _taken_table(taken)),
        targets=(
            TargetResult(
                "http-orders",
                Spread.interval(_rates(loads, HTTP, max(CLIENTS))),
                usual=f"{Spread.of(_rates(loads, BUS, max(CLIENTS))).text()} orders/s: PutEvents, unchecked",
            ),
            TargetResult(
                "http-order-stages",
                Spread.interval(taken[AT_REST]["stages"]),
                lower_bound="1: PutEvents",
            ),
        ),
        series={f"{name}, {count} clients: orders/s": _rates(loads, name, count) for name, count in loads}
        | {
            f"{name}, {count} clients, repetition {n}: seconds": load.seconds
            for (name, count), each in loads.items()
            for n, load in enumerate(each)
        }
        | {f"{name}: {figure}": taken[name][figure] for name in taken for figure in FIGURES},
    )


def _findings(loads: Loads, taken: Taken) -> Iterator[str]:
    for count in CLIENTS:
        slower = ratio(_quantiles(loads, HTTP, count, 0.5), _quantiles(loads, BUS, count, 0.5))
        yield (
            f"With {_clients(count)}, {_spread(_rates(loads, HTTP, count))} orders a second are accepted "
            f"over HTTP and {_spread(_rates(loads, BUS, count))} by PutEvents; the median order takes "
            f"{_spread(_quantiles(loads, HTTP, count, 0.5), 1_000)} ms over HTTP, {slower.text()} times as "
            "long."
        )
    rest = taken[AT_REST]
    yield (
        f"The function takes {_spread(rest['cpuMs'])} ms of processor time and makes "
        f"{_spread(rest['stages'])} calls, one after another; {_spread(taken[IN_A_BURST]['stages'])} within "
        "a caller's burst, where the rate limiter needs a second write."
    )


def _loads_table(loads: Loads) -> Table:
    rows = [
        (
            name,
            str(count),
            _spread(_rates(loads, name, count)),
            *(_spread(_quantiles(loads, name, count, share), 1_000) for share in (0.5, 0.99)),
        )
        for name, count in loads
    ]
    columns = ("", "clients", "accepted/s", "p50 ms", "p99 ms")
    return Table("Accepted", columns, rows, "The spread is over repetitions.")


def _taken_table(taken: Taken) -> Table:
    rows = [(name, *(_spread(taken[name][figure]) for figure in FIGURES)) for name in taken]
    return Table("What the function takes for one order", ("caller", *(_NAMES[it] for it in FIGURES)), rows)


def _method(loads: Loads, repetitions: int) -> list[str]:
    each = {count: len(loads[HTTP, count][0].seconds) // count for count in CLIENTS}
    return [
        (
            f"A separate local stack. One client sends {each[1]} orders, and {max(CLIENTS)} clients at once "
            f"send {each[max(CLIENTS)]} each, the next when the one before is answered. Over HTTP each "
            "client is an editor of its own, as one caller may send 20 a second; every answer is 202. "
            "Through PutEvents each order is a call."
        ),
        (
            "Over HTTP that is the gateway, its check of the token, and the function: membership, rate, "
            "receipt, event. The rules of the bus are disabled, so that no order is processed."
        ),
        (
            "Clients, emulator and functions share this machine's cores: the rates describe this machine, "
            "not AWS."
        ),
        (
            "What the function takes is measured in this process, wired as on AWS, on the tables of another "
            "emulator. Read and write units follow DynamoDB's rules for the items read and written; a write "
            "whose condition does not hold counts."
        ),
        f"The variants forwards and backwards in turns, {repetitions} repetitions after one that is dropped.",
    ]


def _rates(loads: Loads, name: str, count: int) -> list[float]:
    return [it.rate for it in loads[name, count]]


def _quantiles(loads: Loads, name: str, count: int, share: float) -> list[float]:
    return [quantile(it.seconds, share) for it in loads[name, count]]


def _spread(series: Sequence[float], factor: float = 1) -> str:
    return Spread.of(series).scaled(factor).text()


def _clients(count: int) -> str:
    return "one client" if count == 1 else f"{count} clients at once"
